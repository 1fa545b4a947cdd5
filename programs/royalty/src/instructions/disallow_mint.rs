//! Takes a payment mint off the list of allowed mints.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::state::Admin;

/// Accounts of `disallow_mint`.
#[derive(Accounts)]
pub struct DisallowMint {
    /// The authority.
    pub authority: Signer,
    /// The program's settings.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl DisallowMint {
    /// Stops new books and deposits in the mint; what pools hold stays theirs.
    ///
    /// # Errors
    /// `NotAuthority`, [`NativeMint`], [`MintNotAllowed`].
    ///
    /// [`NativeMint`]: crate::error::RoyaltyError::NativeMint
    /// [`MintNotAllowed`]: crate::error::RoyaltyError::MintNotAllowed
    pub fn handle(&mut self, mint: &Address) -> Result<()> {
        self.admin.control.check_authority(self.authority.address())?;
        self.admin.disallow(mint)?;
        self.admin.invariant()
    }
}
