use anchor_lang::prelude::*;
use provena_common::{amount::Amount, slot::Slot};

use super::STATE_VERSION;
use crate::{
    NATIVE_MINT,
    constants::{MAX_INITIAL_HOLDERS, MAX_MINTS, MAX_WINDOW, MIN_WINDOW, WRAPPABLE},
    error::RoyaltyError,
    shares::Shares,
};

/// The revenue pool of one asset: what is fixed about it, and which mints it has books for.
///
/// Lamports above `rent` are resale royalties of the NFT, whose verified creator this account is; `collect` books them.
#[account]
pub struct Pool {
    /// Mint of the asset's NFT.
    pub asset: Address,
    /// Paid for the pool and names the initial holders.
    pub creator: Address,
    /// Fixed at creation; from 1 to [`MAX_TOTAL_SHARES`](crate::MAX_TOTAL_SHARES).
    pub total_shares: u64,
    /// Shares given to holders. The pool is sealed, and usable, when this equals `total_shares`.
    pub assigned_shares: u64,
    /// Lamports that keep this account alive and are nobody's revenue.
    pub rent: u64,
    /// Slots over which revenue is released; 0 releases it at once.
    pub window: u32,
    /// Initial holders named so far.
    pub holder_count: u16,
    /// [`WRAPPABLE`] or 0.
    pub flags: u8,
    /// Entries of `mints`.
    pub mint_count: u8,
    /// Payment mints in the order in which their books were opened: entries of the index and checkpoints of positions are
    /// numbered like them. The first is [`NATIVE_MINT`].
    pub mints: [Address; MAX_MINTS],
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 6],
    /// Slot in which shares were given to an initial holder, or taken back from one, for the last time.
    pub assigned: u64,
    /// Zeros.
    pub tail: [u64; 7],
}

provena_common::layout!(Pool, STATE_VERSION);

const _: () = assert!(size_of::<Pool>() == 424);

/// What a new [`Pool`] is made with.
pub struct NewPool {
    /// Mint of the asset's NFT.
    pub asset: Address,
    /// Pays and names the holders.
    pub creator: Address,
    /// All shares.
    pub total: Shares,
    /// In slots.
    pub window: u32,
    /// See [`Pool::flags`].
    pub flags: u8,
    /// Lamports that keep the account alive.
    pub rent: Amount,
    /// Of the account's address.
    pub bump: u8,
    /// When it is made.
    pub now: Slot,
}

impl Pool {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account without holders; SOL is its first mint.
    ///
    /// # Errors
    /// [`RoyaltyError::ZeroShares`], [`RoyaltyError::WrongFlags`], [`RoyaltyError::WrongWindow`].
    pub fn initialize(&mut self, new: NewPool) -> Result<()> {
        require!(!new.total.is_zero(), RoyaltyError::ZeroShares);
        require!(new.flags & !WRAPPABLE == 0, RoyaltyError::WrongFlags);
        let wrappable = new.flags & WRAPPABLE != 0;
        let window_fits = if wrappable { (MIN_WINDOW..=MAX_WINDOW).contains(&new.window) } else { new.window == 0 };
        require!(window_fits, RoyaltyError::WrongWindow);
        self.asset = new.asset;
        self.creator = new.creator;
        self.total_shares = new.total.get();
        self.window = new.window;
        self.flags = new.flags;
        self.rent = new.rent.0;
        self.bump = new.bump;
        self.assigned = new.now.0;
        self.version = STATE_VERSION;
        self.add_mint(NATIVE_MINT)?;
        Ok(())
    }

    /// Whether every share has a holder.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.assigned_shares == self.total_shares
    }

    /// The pool's mints in the order of their books.
    #[must_use]
    pub fn mints(&self) -> &[Address] {
        self.mints.get(..usize::from(self.mint_count)).unwrap_or(&[])
    }

    /// Gives shares to one more initial holder.
    ///
    /// # Errors
    /// [`RoyaltyError::ZeroShares`], [`RoyaltyError::TooManyHolders`], [`RoyaltyError::SharesExceedTotal`].
    pub fn assign(&mut self, shares: Shares, now: Slot) -> Result<()> {
        require!(!shares.is_zero(), RoyaltyError::ZeroShares);
        require!(self.holder_count < MAX_INITIAL_HOLDERS, RoyaltyError::TooManyHolders);
        let assigned = self.assigned_shares.saturating_add(shares.get());
        require!(assigned <= self.total_shares, RoyaltyError::SharesExceedTotal);
        self.assigned_shares = assigned;
        self.assigned = now.0;
        self.holder_count = self.holder_count.saturating_add(1);
        Ok(())
    }

    /// Takes back the shares of a position that is closed because the pool is abandoned.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`] when so many were never assigned.
    pub fn unassign(&mut self, shares: Shares, now: Slot) -> Result<()> {
        let left = self.assigned_shares.checked_sub(shares.get());
        self.assigned_shares = left.ok_or(RoyaltyError::BrokenInvariant)?;
        self.assigned = now.0;
        self.holder_count = self.holder_count.saturating_sub(1);
        Ok(())
    }

    /// Appends a payment mint and returns its number.
    ///
    /// # Errors
    /// [`RoyaltyError::TooManyMints`].
    pub fn add_mint(&mut self, mint: Address) -> Result<u8> {
        let index = self.mint_count;
        let place = self.mints.get_mut(usize::from(index));
        *place.ok_or(RoyaltyError::TooManyMints)? = mint;
        self.mint_count = index.saturating_add(1);
        Ok(index)
    }

    /// What must hold whenever the account was written.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION
            && self.assigned_shares <= self.total_shares
            && usize::from(self.mint_count) <= MAX_MINTS
            && self.mints().first() == Some(&NATIVE_MINT);
        require!(sound, RoyaltyError::BrokenInvariant);
        Ok(())
    }
}
