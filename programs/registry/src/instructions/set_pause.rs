//! Sets what is paused.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::state::Admin;

/// Accounts of `set_pause`.
#[derive(Accounts)]
pub struct SetPause {
    /// The authority.
    pub authority: Signer,
    /// Holds the bits.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl SetPause {
    /// Pauses what [`bits`](crate::constants::pause) name and lets everything else run.
    ///
    /// # Errors
    ///
    /// `NotAuthority`, [`UnknownPauseBits`](crate::error::RegistryError::UnknownPauseBits).
    pub fn handle(&mut self, bits: u32) -> Result<()> {
        self.admin.control.set_pause(self.authority.address(), bits)?;
        self.admin.invariant()
    }
}
