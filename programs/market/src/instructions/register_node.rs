//! Registers a node with its first stake.

use anchor_lang::prelude::*;

use crate::constants::{LAYOUT_VERSION, NODE_SEED};
use crate::error::MarketError;
use crate::events::NodeRegistered;
use crate::fees::Amount;
use crate::funds;
use crate::state::{Config, Node};

/// Accounts of `register_node`.
#[derive(Accounts)]
pub struct RegisterNode {
    /// The node's authority; pays rent and stake.
    #[account(mut)]
    pub authority: Signer,
    /// The market's settings.
    pub config: Account<Config>,
    /// Created here; one per authority.
    #[account(
        init, payer = authority, space = Node::SPACE,
        seeds = [NODE_SEED, authority.address().as_ref()], bump
    )]
    pub node: Account<Node>,
    /// The system program.
    pub system_program: Program<System>,
}

impl RegisterNode {
    /// Errors: `StakeTooLow`, `EndpointTooLong`.
    pub fn handle(&mut self, stake: Amount, endpoint: &str, bump: u8) -> Result<()> {
        require!(stake.0 >= self.config.min_stake, MarketError::StakeTooLow);
        funds::transfer_from_wallet(self.authority.account(), self.node.account(), stake)?;
        let address = *self.node.address();
        let node = &mut *self.node;
        node.authority = *self.authority.address();
        node.registered_at = Clock::get()?.slot;
        node.version = LAYOUT_VERSION;
        node.bump = bump;
        node.set_endpoint(endpoint)?;
        node.add_stake(stake)?;
        node.invariant()?;
        emit!(NodeRegistered { node: address, authority: node.authority, stake: node.stake });
        Ok(())
    }
}
