//! Sets what is paused.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::{constants::PAUSE_POOLS, error::RoyaltyError, state::Admin};

/// Accounts of `set_pause`.
#[derive(Accounts)]
pub struct SetPause {
    /// The present authority.
    pub authority: Signer,
    /// The program's settings.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl SetPause {
    /// # Errors
    /// `NotAuthority`; [`RoyaltyError::WrongFlags`] for a bit other than [`PAUSE_POOLS`].
    pub fn handle(&mut self, bits: u32) -> Result<()> {
        require!(bits & !PAUSE_POOLS == 0, RoyaltyError::WrongFlags);
        self.admin.control.set_pause(self.authority.address(), bits)?;
        self.admin.invariant()
    }
}
