//! Proposes who shall have the program's authority.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::state::Admin;

/// Accounts of `propose_authority`.
#[derive(Accounts)]
pub struct ProposeAuthority {
    /// The present authority.
    pub authority: Signer,
    /// Names both.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl ProposeAuthority {
    /// `new` may accept [`TIMELOCK`](provena_common::admin::TIMELOCK) slots from now.
    ///
    /// # Errors
    ///
    /// `NotAuthority`, `BadAuthority`.
    pub fn handle(&mut self, new: Address) -> Result<()> {
        self.admin.control.propose(self.authority.address(), new, Slot::now()?)?;
        self.admin.invariant()
    }
}
