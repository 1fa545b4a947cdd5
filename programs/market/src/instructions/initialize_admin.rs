//! Sets the market up, once.

use anchor_lang::prelude::*;
use provena_common::{account, admin::Control, amount::Amount, upgrade};

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
    /// To be created.
    #[account(mut)]
    pub admin: UncheckedAccount,
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
    /// `NotUpgradeAuthority`, `FeeTooHigh`, `BadTreasury`, `WrongPda`; the System program's where the account exists already.
    pub fn handle(&mut self, cluster: [u8; 32], protocol_fee_bps: u16, min_stake: Amount) -> Result<()> {
        upgrade::check_upgrade_authority(self.program_data.account(), &ID, self.authority.address())?;
        treasury::check_wallet(self.treasury.account())?;
        let (payer, account) = (self.authority.account(), self.admin.account());
        let (mut admin, bump) = account::create::<Admin>(payer, account, &[ADMIN_SEED])?;
        admin.control = Control::new(*self.authority.address())?;
        admin.treasury = *self.treasury.address();
        admin.cluster = cluster;
        admin.min_stake = min_stake.0;
        admin.set_protocol_fee(protocol_fee_bps)?;
        admin.bump = bump;
        admin.version = STATE_VERSION;
        admin.invariant()
    }
}
