use anchor_lang::prelude::*;

use super::STATE_VERSION;
use crate::{constants::MAX_MINTS, error::RoyaltyError};

/// Who may extend the list of payment mints, and that list. One per program.
#[account]
pub struct Config {
    /// May add mints.
    pub authority: Address,
    /// The first `mint_count` entries are allowed; [`NATIVE_MINT`](crate::NATIVE_MINT) stands for SOL.
    pub mints: [Address; MAX_MINTS],
    pub mint_count: u8,
    pub bump: u8,
    pub version: u8,
    pub reserved: [u8; 29],
}

const _: () = assert!(size_of::<Config>() == 320);

impl Config {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account; SOL is allowed from the start.
    pub fn initialize(&mut self, authority: Address, bump: u8) -> Result<()> {
        self.authority = authority;
        self.bump = bump;
        self.version = STATE_VERSION;
        self.allow(crate::NATIVE_MINT)
    }

    /// The mints that may be used for payment.
    pub fn allowed(&self) -> &[Address] {
        self.mints.get(..usize::from(self.mint_count)).unwrap_or(&[])
    }

    /// Adds a mint; errors are [`RoyaltyError::MintAlreadyAllowed`] and [`RoyaltyError::TooManyMints`].
    pub fn allow(&mut self, mint: Address) -> Result<()> {
        require!(!self.allowed().contains(&mint), RoyaltyError::MintAlreadyAllowed);
        let slot = self.mints.get_mut(usize::from(self.mint_count));
        *slot.ok_or(RoyaltyError::TooManyMints)? = mint;
        self.mint_count = self.mint_count.saturating_add(1);
        Ok(())
    }

    /// What must hold whenever the account was written.
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION && usize::from(self.mint_count) <= MAX_MINTS;
        require!(sound, RoyaltyError::BrokenInvariant);
        Ok(())
    }
}
