//! Sets the least stake of nodes.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Amount};

use crate::state::Admin;

/// Accounts of `set_min_stake`.
#[derive(Accounts)]
pub struct SetMinStake {
    /// The present authority.
    pub authority: Signer,
    /// The market's settings.
    #[account(mut)]
    pub admin: State<Admin>,
}

impl SetMinStake {
    /// Nodes below it keep what they have and take no seats of jobs posted from now on.
    ///
    /// # Errors
    /// `NotAuthority`.
    pub fn handle(&mut self, lamports: Amount) -> Result<()> {
        self.admin.control.check_authority(self.authority.address())?;
        self.admin.min_stake = lamports.0;
        self.admin.invariant()
    }
}
