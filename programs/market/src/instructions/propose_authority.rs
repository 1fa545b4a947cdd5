//! Proposes a new authority, who may accept after the timelock.

use anchor_lang::prelude::*;
use provena_common::{account::State, slot::Slot};

use crate::state::Admin;

/// Accounts of `propose_authority`.
#[derive(Accounts)]
pub struct ProposeAuthority {
    /// The present authority.
    pub authority: Signer,
    /// The market's settings.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl ProposeAuthority {
    /// A new proposal replaces the old one and starts the time anew.
    ///
    /// # Errors
    /// `NotAuthority`, `BadAuthority`.
    pub fn handle(&mut self, new: Address) -> Result<()> {
        self.admin.control.propose(self.authority.address(), new, Slot::now()?)?;
        self.admin.invariant()
    }
}
