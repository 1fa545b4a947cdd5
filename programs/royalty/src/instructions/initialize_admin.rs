//! Creates the program's one `Admin` account.

use anchor_lang::prelude::*;
use provena_common::{account::State, upgrade};

use crate::{ID, constants::ADMIN_SEED, state::Admin};

/// Accounts of `initialize_admin`.
#[derive(Accounts)]
pub struct InitializeAdmin {
    /// Pays, and becomes the authority. Must be the program's upgrade authority, if it has one.
    #[account(mut)]
    pub authority: Signer,
    /// To be created.
    #[account(init, payer = authority, space = Admin::SPACE, seeds = [ADMIN_SEED], bump)]
    pub admin: State<Admin>,
    /// The program's data account: [`upgrade::program_data`].
    pub program_data: UncheckedAccount,
    /// Creates the account.
    pub system_program: Program<System>,
}

impl InitializeAdmin {
    /// Allows SOL; other mints are added by `allow_mint`.
    ///
    /// # Errors
    /// `NotUpgradeAuthority`.
    pub fn handle(&mut self, bump: u8) -> Result<()> {
        upgrade::check_upgrade_authority(self.program_data.account(), &ID, self.authority.address())?;
        self.admin.initialize(*self.authority.address(), bump)?;
        self.admin.invariant()
    }
}
