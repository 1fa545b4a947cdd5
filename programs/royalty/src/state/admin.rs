use anchor_lang::prelude::*;
use provena_common::admin::Control;

use super::STATE_VERSION;
use crate::{
    NATIVE_MINT,
    constants::{MAX_MINTS, PAUSE_POOLS},
    error::RoyaltyError,
};

/// Who may change the list of payment mints, and that list. One per program.
#[account]
pub struct Admin {
    /// The authority, its successor and what is paused.
    pub control: Control,
    /// The first `mint_count` entries are allowed; [`NATIVE_MINT`], which stands for SOL, is always the first.
    pub mints: [Address; MAX_MINTS],
    /// Entries of `mints`.
    pub mint_count: u8,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 5],
    /// Zeros.
    pub tail: [u8; 64],
}

provena_common::layout!(Admin, STATE_VERSION);

const _: () = assert!(size_of::<Admin>() == 408);

impl Admin {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Fills a fresh account; SOL is allowed from the start.
    ///
    /// # Errors
    /// Those of [`Control::new`].
    pub fn initialize(&mut self, authority: Address, bump: u8) -> Result<()> {
        self.control = Control::new(authority)?;
        self.bump = bump;
        self.version = STATE_VERSION;
        self.allow(NATIVE_MINT)
    }

    /// The mints that may be used for payment.
    #[must_use]
    pub fn allowed(&self) -> &[Address] {
        self.mints.get(..usize::from(self.mint_count)).unwrap_or(&[])
    }

    /// Checks that a mint may be used for payment.
    ///
    /// # Errors
    /// [`RoyaltyError::MintNotAllowed`].
    pub fn check_allowed(&self, mint: &Address) -> Result<()> {
        require!(self.allowed().contains(mint), RoyaltyError::MintNotAllowed);
        Ok(())
    }

    /// Adds a mint.
    ///
    /// # Errors
    /// [`RoyaltyError::MintAlreadyAllowed`], [`RoyaltyError::TooManyMints`].
    pub fn allow(&mut self, mint: Address) -> Result<()> {
        require!(!self.allowed().contains(&mint), RoyaltyError::MintAlreadyAllowed);
        let place = self.mints.get_mut(usize::from(self.mint_count));
        *place.ok_or(RoyaltyError::TooManyMints)? = mint;
        self.mint_count = self.mint_count.saturating_add(1);
        Ok(())
    }

    /// Removes a mint; the last of the list takes its place.
    ///
    /// # Errors
    /// [`RoyaltyError::NativeMint`], [`RoyaltyError::MintNotAllowed`].
    pub fn disallow(&mut self, mint: &Address) -> Result<()> {
        require!(*mint != NATIVE_MINT, RoyaltyError::NativeMint);
        let place = self.allowed().iter().position(|allowed| allowed == mint).ok_or(RoyaltyError::MintNotAllowed)?;
        let last = usize::from(self.mint_count.saturating_sub(1));
        self.mints.swap(place, last);
        if let Some(freed) = self.mints.get_mut(last) {
            *freed = Address::default();
        }
        self.mint_count = self.mint_count.saturating_sub(1);
        Ok(())
    }

    /// What must hold whenever the account was written.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION
            && usize::from(self.mint_count) <= MAX_MINTS
            && self.allowed().first() == Some(&NATIVE_MINT)
            && self.control.paused & !PAUSE_POOLS == 0;
        require!(sound, RoyaltyError::BrokenInvariant);
        Ok(())
    }
}
