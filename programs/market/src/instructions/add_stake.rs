//! Adds stake to a node.

use anchor_lang::prelude::*;

use crate::error::MarketError;
use crate::fees::Amount;
use crate::funds;
use crate::state::Node;

/// Accounts of `add_stake`.
#[derive(Accounts)]
pub struct AddStake {
    /// The node's authority; pays.
    #[account(mut, address = node.authority @ MarketError::Unauthorized)]
    pub authority: Signer,
    /// The node.
    #[account(mut)]
    pub node: Account<Node>,
    /// The system program.
    pub system_program: Program<System>,
}

impl AddStake {
    /// Errors: `Unauthorized`, `Overflow`.
    pub fn handle(&mut self, amount: Amount) -> Result<()> {
        funds::transfer_from_wallet(self.authority.account(), self.node.account(), amount)?;
        self.node.add_stake(amount)?;
        self.node.invariant()
    }
}
