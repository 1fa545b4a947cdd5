use anchor_lang::prelude::*;

use super::STATE_VERSION;
use crate::{
    amount::Shares,
    constants::{MAX_INITIAL_HOLDERS, MAX_MINTS},
    error::RoyaltyError,
};

/// The revenue pool of one asset.
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
    /// Payment mints in the order in which they were added: position slots are numbered by it.
    pub mints: [Address; MAX_MINTS],
    pub mint_count: u8,
    /// Initial holders named so far.
    pub holder_count: u8,
    pub bump: u8,
    pub version: u8,
    pub reserved: [u8; 28],
}

const _: () = assert!(size_of::<Pool>() == 368);

impl Pool {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account without holders.
    pub fn initialize(&mut self, asset: Address, creator: Address, total: Shares, bump: u8) -> Result<()> {
        require!(!total.is_zero(), RoyaltyError::ZeroShares);
        self.asset = asset;
        self.creator = creator;
        self.total_shares = total.get();
        self.bump = bump;
        self.version = STATE_VERSION;
        Ok(())
    }

    /// Whether every share has a holder.
    pub fn is_sealed(&self) -> bool {
        self.assigned_shares == self.total_shares
    }

    /// The pool's total as a checked number of shares.
    pub fn total(&self) -> Result<Shares> {
        Shares::new(self.total_shares)
    }

    /// Gives shares to one more initial holder.
    pub fn assign(&mut self, shares: Shares) -> Result<()> {
        require!(!shares.is_zero(), RoyaltyError::ZeroShares);
        require!(self.holder_count < MAX_INITIAL_HOLDERS, RoyaltyError::TooManyHolders);
        let assigned = self.assigned_shares.saturating_add(shares.get());
        require!(assigned <= self.total_shares, RoyaltyError::SharesExceedTotal);
        self.assigned_shares = assigned;
        self.holder_count = self.holder_count.saturating_add(1);
        Ok(())
    }

    /// Appends a payment mint and returns its index.
    pub fn add_mint(&mut self, mint: Address) -> Result<u8> {
        let index = self.mint_count;
        let slot = self.mints.get_mut(usize::from(index));
        *slot.ok_or(RoyaltyError::TooManyMints)? = mint;
        self.mint_count = index.saturating_add(1);
        Ok(index)
    }

    /// What must hold whenever the account was written.
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION
            && self.assigned_shares <= self.total_shares
            && usize::from(self.mint_count) <= MAX_MINTS
            && (self.mint_count == 0 || self.is_sealed());
        require!(sound, RoyaltyError::BrokenInvariant);
        Ok(())
    }
}
