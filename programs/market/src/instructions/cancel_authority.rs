//! The authority takes its proposal of another one back.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::state::Admin;

/// Accounts of `cancel_authority`.
#[derive(Accounts)]
pub struct CancelAuthority {
    /// The present authority.
    pub authority: Signer,
    /// The market's settings.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl CancelAuthority {
    /// # Errors
    /// `NotAuthority`, `NoPendingAuthority`.
    pub fn handle(&mut self) -> Result<()> {
        self.admin.control.cancel(self.authority.address())?;
        self.admin.invariant()
    }
}
