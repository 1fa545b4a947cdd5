//! Sets what is paused: posting, creating offers, registering nodes, or nothing.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::state::Admin;

/// Accounts of `set_pause`.
#[derive(Accounts)]
pub struct SetPause {
    /// The present authority.
    pub authority: Signer,
    /// The market's settings.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl SetPause {
    /// `bits` are those of [`pause`](crate::constants::pause); what is not named runs again.
    ///
    /// # Errors
    /// `NotAuthority`, `UnknownPauseBits`.
    pub fn handle(&mut self, bits: u32) -> Result<()> {
        self.admin.control.set_pause(self.authority.address(), bits)?;
        self.admin.invariant()
    }
}
