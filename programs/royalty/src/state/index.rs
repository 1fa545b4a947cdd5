use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};
use provena_common::{
    amount::Amount,
    slot::Slot,
    wide::{Wide, scale},
};

use super::STATE_VERSION;
use crate::{constants::MAX_MINTS, error::RoyaltyError, shares::Shares};

/// A pool's revenue in all mints, by which every position is settled.
///
/// **Accumulator.** A pool's shares never change in number, so that revenue per share needs no quotient of its own: an entry
/// counts what was released to all shares since the beginning, and a position that entered at `entry` has since earned
/// `shares * (released - entry) / total` base units. The division happens only where a position is settled, and its
/// remainder, in units of `1/total`, stays with the position. Hence at every moment, exactly,
///
/// ```text
/// sum over positions of (shares * (released - entry) + remainder) / total + accrued
///     + releasing + arriving - released of `releasing` by now
///     = held of the books
/// ```
///
/// **Two buckets.** In a pool with a window, what is booked within one window is released evenly over the next one, on a
/// fixed grid of windows that begins at slot 0. Nothing is released in the slot in which it is booked, so that whoever buys
/// shares, brings revenue in and sells in one transaction earns nothing; and nothing that anybody sends can stretch or
/// shorten a window.
#[account]
pub struct Index {
    /// The pool.
    pub pool: Address,
    /// Copied from the pool.
    pub total_shares: u64,
    /// Copied from the pool: slots of a window; 0 releases at once.
    pub window: u32,
    /// 1 when all the pool's shares are assigned. Until then nothing is booked, so that all initial holders enter at zero.
    pub sealed: u8,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 1],
    /// Numbered like the pool's mints.
    pub entries: [Entry; MAX_MINTS],
    /// Zeros.
    pub tail: [u8; 64],
}

provena_common::layout!(Index, STATE_VERSION);

const _: () = assert!(size_of::<Index>() == 432);

/// Revenue in one mint; base units.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Entry {
    /// Released to the shares in whole windows since the beginning; without a window everything that was booked.
    pub released: Wide,
    /// Released evenly over the window that begins at `window_start`.
    pub releasing: u64,
    /// Booked since `window_start`; released over the window after that.
    pub arriving: u64,
    /// First slot of the present window: a multiple of the window's length.
    pub window_start: u64,
}

impl Entry {
    /// Passes over the windows that have ended by `now`.
    ///
    /// # Errors
    /// `Overflow` beyond 128 bits.
    pub fn advance(&mut self, now: Slot, window: u32) -> Result<()> {
        let length = u64::from(window);
        let Some(ended) = now.since(Slot(self.window_start)).checked_div(length) else { return Ok(()) };
        if ended == 0 {
            return Ok(());
        }
        self.released = self.released.plus(Amount(self.releasing))?;
        self.releasing = self.arriving;
        self.arriving = 0;
        if ended > 1 {
            self.released = self.released.plus(Amount(self.releasing))?;
            self.releasing = 0;
        }
        // ended * length <= now.
        self.window_start = self.window_start.saturating_add(ended.saturating_mul(length));
        Ok(())
    }

    /// What has been released to the shares by `now`.
    ///
    /// # Errors
    /// `Overflow` beyond 128 bits.
    pub fn released_at(&self, now: Slot, window: u32) -> Result<Wide> {
        if self.releasing == 0 && self.arriving == 0 {
            return Ok(self.released);
        }
        let mut entry = *self;
        entry.advance(now, window)?;
        if entry.releasing == 0 {
            return Ok(entry.released);
        }
        let elapsed = now.since(Slot(entry.window_start));
        let part = scale(Amount(entry.releasing), elapsed, u64::from(window)).ok_or(RoyaltyError::BrokenInvariant)?;
        Ok(entry.released.plus(part)?)
    }

    /// Base units booked and not released by `now`.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn unreleased_at(&self, now: Slot, window: u32) -> Result<Amount> {
        let everything = self.released.plus(Amount(self.releasing))?.plus(Amount(self.arriving))?;
        let left = everything.minus(self.released_at(now, window)?).and_then(Wide::amount);
        Ok(left.ok_or(RoyaltyError::BrokenInvariant)?)
    }

    /// Books money that has arrived.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn book(&mut self, amount: Amount, now: Slot, window: u32) -> Result<()> {
        if window == 0 {
            self.released = self.released.plus(amount)?;
            return Ok(());
        }
        self.advance(now, window)?;
        self.arriving = Amount(self.arriving).plus(amount)?.0;
        Ok(())
    }
}

impl Index {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account.
    pub fn initialize(&mut self, pool: Address, total: Shares, window: u32, bump: u8) {
        self.pool = pool;
        self.total_shares = total.get();
        self.window = window;
        self.bump = bump;
        self.version = STATE_VERSION;
    }

    /// Whether every share has a holder.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.sealed != 0
    }

    /// The entry of one mint.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`] for a number that no mint has.
    pub fn entry(&self, index: u8) -> Result<&Entry> {
        Ok(self.entries.get(usize::from(index)).ok_or(RoyaltyError::BrokenInvariant)?)
    }

    /// What has been released in one mint by `now`.
    ///
    /// # Errors
    /// Those of [`Entry::released_at`].
    pub fn released_at(&self, index: u8, now: Slot) -> Result<Wide> {
        self.entry(index)?.released_at(now, self.window)
    }

    /// What has been released in every mint by `now`.
    ///
    /// # Errors
    /// Those of [`Entry::released_at`].
    pub fn all_released_at(&self, now: Slot) -> Result<[Wide; MAX_MINTS]> {
        let mut released = [Wide::ZERO; MAX_MINTS];
        for (released, entry) in released.iter_mut().zip(&self.entries) {
            *released = entry.released_at(now, self.window)?;
        }
        Ok(released)
    }

    /// Books money that has arrived in one mint.
    ///
    /// # Errors
    /// [`RoyaltyError::PoolNotSealed`], `Overflow`.
    pub fn book(&mut self, index: u8, amount: Amount, now: Slot) -> Result<()> {
        require!(self.is_sealed(), RoyaltyError::PoolNotSealed);
        let window = self.window;
        let entry = self.entries.get_mut(usize::from(index)).ok_or(RoyaltyError::BrokenInvariant)?;
        entry.book(amount, now, window)
    }

    /// What must hold whenever the account was written.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == STATE_VERSION && self.sealed <= 1, RoyaltyError::BrokenInvariant);
        Ok(())
    }
}
