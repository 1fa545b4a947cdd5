//! Names another treasury wallet.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::{state::Admin, treasury};

/// Accounts of `set_treasury`.
#[derive(Accounts)]
pub struct SetTreasury {
    /// The present authority.
    pub authority: Signer,
    /// The market's settings.
    #[account(mut)]
    pub admin: State<Admin>,
    /// Receives from now on what lies in the treasury's inboxes.
    pub treasury: UncheckedAccount,
}

impl SetTreasury {
    /// # Errors
    /// `NotAuthority`, `BadTreasury`.
    pub fn handle(&mut self) -> Result<()> {
        self.admin.control.check_authority(self.authority.address())?;
        treasury::check_wallet(self.treasury.account())?;
        self.admin.treasury = *self.treasury.address();
        self.admin.invariant()
    }
}
