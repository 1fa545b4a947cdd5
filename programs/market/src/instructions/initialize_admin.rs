//! Sets the market up, once.

use anchor_lang::prelude::*;
use provena_common::{account::State, admin::Control, amount::Amount, upgrade};

use crate::{
    ID,
    constants::ADMIN_SEED,
    state::{Admin, STATE_VERSION},
    treasury,
};

/// Accounts of `initialize_admin`.
#[derive(Accounts)]
pub struct InitializeAdmin {
    /// Pays, and becomes the authority; may be the treasury too. Must be the program's upgrade authority, if it has one.
    #[account(unsafe(dup))]
    pub authority: Signer,
    /// Created here.
    #[account(init, payer = authority, space = State::<Admin>::space(0), seeds = [ADMIN_SEED], bump)]
    pub admin: State<Admin>,
    /// Receives protocol fees.
    pub treasury: UncheckedAccount,
    /// The program's data account: [`upgrade::program_data`].
    pub program_data: UncheckedAccount,
    /// Creates the account.
    pub system_program: Program<System>,
}

impl InitializeAdmin {
    /// `cluster` is the cluster's genesis hash. Nothing is paused.
    ///
    /// # Errors
    /// `NotUpgradeAuthority`, `FeeTooHigh`, `BadTreasury`.
    pub fn handle(&mut self, cluster: [u8; 32], protocol_fee_bps: u16, min_stake: Amount, bump: u8) -> Result<()> {
        upgrade::check_upgrade_authority(self.program_data.account(), &ID, self.authority.address())?;
        treasury::check_wallet(self.treasury.account())?;
        self.admin.control = Control::new(*self.authority.address())?;
        self.admin.treasury = *self.treasury.address();
        self.admin.cluster = cluster;
        self.admin.min_stake = min_stake.0;
        self.admin.set_protocol_fee(protocol_fee_bps)?;
        self.admin.bump = bump;
        self.admin.version = STATE_VERSION;
        self.admin.invariant()
    }
}
