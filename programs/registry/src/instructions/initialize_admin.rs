//! Creates the program's one admin account.

use anchor_lang::prelude::*;
use provena_common::{account::State, admin::Control, upgrade};

use crate::{
    ID,
    constants::seeds,
    creation::create,
    state::{Admin, STATE_VERSION},
};

/// Accounts of `initialize_admin`.
#[derive(Accounts)]
pub struct InitializeAdmin {
    /// Pays, and becomes the authority. Must be the program's upgrade authority, if it has one.
    #[account(mut)]
    pub authority: Signer,
    /// Made here.
    #[account(mut)]
    pub admin: UncheckedAccount,
    /// The program's data account: [`upgrade::program_data`].
    pub program_data: UncheckedAccount,
    /// The System program.
    pub system_program: Program<System>,
}

impl InitializeAdmin {
    /// Nothing is paused.
    ///
    /// # Errors
    ///
    /// `NotUpgradeAuthority`, `WrongPda`; the System program's where the account exists already.
    pub fn handle(&mut self) -> Result<()> {
        upgrade::check_upgrade_authority(self.program_data.account(), &ID, self.authority.address())?;
        let (mut admin, bump): (State<Admin>, _) =
            create(self.authority.account(), self.admin.account(), &[seeds::ADMIN], 0)?;
        admin.control = Control::new(*self.authority.address())?;
        admin.bump = bump;
        admin.version = STATE_VERSION;
        admin.invariant()
    }
}
