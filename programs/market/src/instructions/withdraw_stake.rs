//! Takes free stake out of a node.

use anchor_lang::prelude::*;

use crate::error::MarketError;
use crate::fees::Amount;
use crate::funds;
use crate::state::{Config, Node};

/// Accounts of `withdraw_stake`.
#[derive(Accounts)]
pub struct WithdrawStake {
    /// The node's authority; receives.
    #[account(mut, address = node.authority @ MarketError::Unauthorized)]
    pub authority: Signer,
    /// The market's settings.
    pub config: Account<Config>,
    /// The node.
    #[account(mut)]
    pub node: Account<Node>,
}

impl WithdrawStake {
    /// Errors: `Unauthorized`, `StakeLocked`, `StakeTooLow` when a rest below the minimum would remain.
    pub fn handle(&mut self, amount: Amount) -> Result<()> {
        self.node.withdraw(amount, Amount(self.config.min_stake))?;
        funds::move_lamports(self.node.account(), self.authority.account(), amount)?;
        self.node.invariant()
    }
}
