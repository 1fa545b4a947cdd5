//! Takes free stake out of a node.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Amount, money};

use crate::{
    error::MarketError,
    state::{Admin, Node},
};

/// Accounts of `withdraw_stake`.
#[derive(Accounts)]
pub struct WithdrawStake {
    /// The node's authority; receives.
    #[account(mut, address = node.authority @ MarketError::NotNodeAuthority)]
    pub authority: Signer,
    /// The market's settings.
    pub admin: State<Admin>,
    /// The node.
    #[account(mut)]
    pub node: State<Node>,
}

impl WithdrawStake {
    /// # Errors
    /// `NotNodeAuthority`, `StakeLocked`; `StakeTooLow` when a rest below the minimum would remain.
    pub fn handle(&mut self, amount: Amount) -> Result<()> {
        let minimum = self.admin.min_stake();
        self.node.withdraw(amount, minimum)?;
        money::move_lamports(self.node.account(), self.authority.account(), amount)?;
        self.node.invariant()
    }
}
