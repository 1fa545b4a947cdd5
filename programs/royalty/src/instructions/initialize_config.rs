//! Creates the program's one configuration.

use anchor_lang::prelude::*;

use crate::{constants::seeds, state::Config};

/// Accounts of `initialize_config`.
#[derive(Accounts)]
pub struct InitializeConfig {
    /// Pays, and becomes the authority.
    #[account(mut)]
    pub authority: Signer,
    #[account(init, payer = authority, space = Config::SPACE, seeds = [seeds::CONFIG], bump)]
    pub config: Account<Config>,
    pub system_program: Program<System>,
}

impl InitializeConfig {
    /// Allows SOL; other mints are added by `allow_mint`.
    pub fn handle(&mut self, bump: u8) -> Result<()> {
        self.config.initialize(*self.authority.address(), bump)?;
        self.config.invariant()
    }
}
