//! Creates the program's one configuration.

use anchor_lang::prelude::*;

use crate::{ID, constants::seeds, error::RoyaltyError, state::Config, upgrade};

/// Accounts of `initialize_config`.
#[derive(Accounts)]
pub struct InitializeConfig {
    /// Pays, and becomes the authority. Must be the program's upgrade authority, if it has one.
    #[account(mut)]
    pub authority: Signer,
    #[account(init, payer = authority, space = Config::SPACE, seeds = [seeds::CONFIG], bump)]
    pub config: Account<Config>,
    /// The program's data account: [`upgrade::program_data`].
    pub program_data: UncheckedAccount,
    pub system_program: Program<System>,
}

impl InitializeConfig {
    /// Allows SOL; other mints are added by `allow_mint`. Errors: [`RoyaltyError::NotUpgradeAuthority`].
    pub fn handle(&mut self, bump: u8) -> Result<()> {
        let allowed = upgrade::may_initialize(self.program_data.account(), &ID, self.authority.address())?;
        require!(allowed, RoyaltyError::NotUpgradeAuthority);
        self.config.initialize(*self.authority.address(), bump)?;
        self.config.invariant()
    }
}
