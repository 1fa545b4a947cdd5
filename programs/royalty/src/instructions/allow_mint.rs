//! Adds a payment mint to the list of allowed mints.

use anchor_lang::prelude::*;
use provena_common::{account::State, token::check_mint};

use crate::state::Admin;

/// Accounts of `allow_mint`.
#[derive(Accounts)]
pub struct AllowMint {
    /// The authority.
    pub authority: Signer,
    /// The program's settings.
    #[account(mut)]
    pub admin: State<Admin>,
    /// A mint of SPL Token, or of Token-2022 with harmless extensions.
    pub mint: UncheckedAccount,
}

impl AllowMint {
    /// # Errors
    /// `NotAuthority`, those of [`check_mint`], [`MintAlreadyAllowed`], [`TooManyMints`].
    ///
    /// [`MintAlreadyAllowed`]: crate::error::RoyaltyError::MintAlreadyAllowed
    /// [`TooManyMints`]: crate::error::RoyaltyError::TooManyMints
    pub fn handle(&mut self) -> Result<()> {
        self.admin.control.check_authority(self.authority.address())?;
        check_mint(self.mint.account())?;
        self.admin.allow(*self.mint.address())?;
        self.admin.invariant()
    }
}
