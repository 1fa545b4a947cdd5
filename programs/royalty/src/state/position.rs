use anchor_lang::prelude::*;
use provena_common::{amount::Amount, slot::Slot, wide::Wide};

use super::{Checkpoint, Index, STATE_VERSION, Vesting};
use crate::{constants::MAX_MINTS, error::RoyaltyError, shares::Shares};

/// One holder's shares of one pool, and where it stands in each of the pool's mints.
#[account]
pub struct Position {
    /// The pool.
    pub pool: Address,
    /// A wallet, or the pool of a parent asset.
    pub holder: Address,
    /// May move up to `delegated` shares; zeros for nobody.
    pub delegate: Address,
    /// Paid the rent and gets it back.
    pub rent_payer: Address,
    /// Shares held.
    pub shares: u64,
    /// Shares that `delegate` may still move.
    pub delegated: u64,
    /// Shares that may not be moved yet.
    pub vesting: Vesting,
    /// Numbered like the pool's mints.
    pub checkpoints: [Checkpoint; MAX_MINTS],
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 6],
    /// Zeros.
    pub tail: [u8; 64],
}

provena_common::layout!(Position, STATE_VERSION);

const _: () = assert!(size_of::<Position>() == 560);

impl Position {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account. In a pool that has received revenue [`Position::settle`] must follow before shares are added.
    pub fn initialize(&mut self, pool: Address, holder: Address, rent_payer: Address, bump: u8) {
        self.pool = pool;
        self.holder = holder;
        self.rent_payer = rent_payer;
        self.bump = bump;
        self.version = STATE_VERSION;
    }

    /// The position's shares as a checked number.
    ///
    /// # Errors
    /// [`RoyaltyError::TooManyShares`].
    pub fn shares(&self) -> Result<Shares> {
        Shares::new(self.shares)
    }

    /// Brings the standing in every mint up to what has been released.
    ///
    /// # Errors
    /// Those of [`Checkpoint::settle`].
    pub fn settle(&mut self, released: &[Wide; MAX_MINTS], total_shares: u64) -> Result<()> {
        let shares = self.shares()?;
        for (checkpoint, released) in self.checkpoints.iter_mut().zip(released) {
            checkpoint.settle(*released, shares, total_shares)?;
        }
        Ok(())
    }

    /// Brings the standing in one mint up to date.
    ///
    /// # Errors
    /// Those of [`Checkpoint::settle`].
    pub fn settle_one(&mut self, index: &Index, mint: u8, now: Slot) -> Result<&mut Checkpoint> {
        let released = index.released_at(mint, now)?;
        let shares = self.shares()?;
        let checkpoint = self.checkpoints.get_mut(usize::from(mint)).ok_or(RoyaltyError::BrokenInvariant)?;
        checkpoint.settle(released, shares, index.total_shares)?;
        Ok(checkpoint)
    }

    /// Settles one mint and takes up to `most` of what is owed; the caller pays the returned amount.
    ///
    /// # Errors
    /// Those of [`Checkpoint::settle`].
    pub fn take(&mut self, index: &Index, mint: u8, now: Slot, most: Amount) -> Result<Amount> {
        Ok(self.settle_one(index, mint, now)?.take(most))
    }

    /// Moves shares to another position of the pool. Settle both first. With the last share go the fractions of units that
    /// are left over, so that nothing is stranded; the delegate loses its right.
    ///
    /// # Errors
    /// [`RoyaltyError::NotEnoughShares`], [`RoyaltyError::SharesLocked`].
    pub fn give(&mut self, to: &mut Self, shares: Shares, total_shares: u64, now: Slot) -> Result<()> {
        let left = self.shares()?.minus(shares)?;
        require!(left >= self.vesting.locked_at(now)?, RoyaltyError::SharesLocked);
        self.shares = left.get();
        to.shares = to.shares()?.plus(shares)?.get();
        if left.is_zero() {
            self.revoke();
            for (checkpoint, other) in self.checkpoints.iter_mut().zip(&mut to.checkpoints) {
                checkpoint.give_remainder(other, total_shares)?;
            }
        }
        Ok(())
    }

    /// Gives an initial holder its shares.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongVesting`].
    pub fn assign(&mut self, shares: Shares, vesting: Vesting) -> Result<()> {
        vesting.check(shares)?;
        self.shares = shares.get();
        self.vesting = vesting;
        Ok(())
    }

    /// Lets `delegate` move up to `shares`, in place of anybody allowed before.
    pub fn approve(&mut self, delegate: Address, shares: Shares) {
        self.delegate = delegate;
        self.delegated = shares.get();
    }

    /// Takes the delegate's right back.
    pub fn revoke(&mut self) {
        self.approve(Address::default(), Shares::ZERO);
    }

    /// Checks that `signer` may move `shares`, and uses up a delegate's right.
    ///
    /// # Errors
    /// [`RoyaltyError::NotDelegate`], [`RoyaltyError::AllowanceExceeded`].
    pub fn authorize(&mut self, signer: &Address, shares: Shares) -> Result<()> {
        if *signer == self.holder {
            return Ok(());
        }
        let delegated = *signer == self.delegate && self.delegate != Address::default();
        require!(delegated, RoyaltyError::NotDelegate);
        let left = self.delegated.checked_sub(shares.get()).ok_or(RoyaltyError::AllowanceExceeded)?;
        if left == 0 {
            self.revoke();
        } else {
            self.delegated = left;
        }
        Ok(())
    }

    /// Whether the account can be closed: no shares, no money, no fraction of a unit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shares == 0 && self.checkpoints.iter().all(Checkpoint::is_empty)
    }

    /// What must hold whenever the account was written.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION && self.shares <= crate::MAX_TOTAL_SHARES;
        require!(sound, RoyaltyError::BrokenInvariant);
        Ok(())
    }
}
