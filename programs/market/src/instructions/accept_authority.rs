//! The proposed authority takes over.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::state::Admin;

/// Accounts of `accept_authority`.
#[derive(Accounts)]
pub struct AcceptAuthority {
    /// The proposed authority.
    pub pending: Signer,
    /// The market's settings.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl AcceptAuthority {
    /// # Errors
    /// `NoPendingAuthority`, `TimelockRunning`.
    pub fn handle(&mut self) -> Result<()> {
        self.admin.control.accept(self.pending.address(), Slot::now()?)?;
        self.admin.invariant()
    }
}
