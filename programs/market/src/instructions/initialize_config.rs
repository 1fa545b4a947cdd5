//! Sets the market up, once.

use anchor_lang::prelude::*;
use provena_royalty::upgrade;

use crate::constants::{CONFIG_SEED, LAYOUT_VERSION, MAX_PROTOCOL_FEE_BPS};
use crate::error::MarketError;
use crate::fees::{Amount, Bps};
use crate::funds;
use crate::state::Config;

/// Accounts of `initialize_config`.
#[derive(Accounts)]
pub struct InitializeConfig {
    /// Becomes the config's authority and pays its rent; may be the treasury too. Must be the program's upgrade
    /// authority, if it has one.
    #[account(unsafe(dup))]
    pub authority: Signer,
    /// Created here.
    #[account(init, payer = authority, space = Config::SPACE, seeds = [CONFIG_SEED], bump)]
    pub config: Account<Config>,
    /// Receives protocol fees.
    pub treasury: UncheckedAccount,
    /// The program's data account: `provena_royalty::upgrade::program_data`.
    pub program_data: UncheckedAccount,
    /// The system program.
    pub system_program: Program<System>,
}

impl InitializeConfig {
    /// Errors: `NotUpgradeAuthority`, `BpsTooHigh`, `BadTreasury`.
    pub fn handle(&mut self, cluster: [u8; 32], protocol_fee: Bps, min_stake: Amount, bump: u8) -> Result<()> {
        let allowed = upgrade::may_initialize(self.program_data.account(), &crate::ID, self.authority.address())?;
        require!(allowed, MarketError::NotUpgradeAuthority);
        require!(protocol_fee.0 <= MAX_PROTOCOL_FEE_BPS, MarketError::BpsTooHigh);
        let treasury = self.treasury.account();
        let wallet = treasury.owned_by(&System::id()) && !treasury.executable();
        require!(wallet && funds::can_receive(treasury, Amount(0)), MarketError::BadTreasury);
        let config = &mut *self.config;
        config.authority = *self.authority.address();
        config.treasury = *self.treasury.address();
        config.cluster = cluster;
        config.min_stake = min_stake.0;
        config.protocol_fee_bps = protocol_fee.0;
        config.version = LAYOUT_VERSION;
        config.bump = bump;
        config.invariant()
    }
}
