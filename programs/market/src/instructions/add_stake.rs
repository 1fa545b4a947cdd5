//! Adds stake to a node.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Amount, money};

use crate::{error::MarketError, state::Node};

/// Accounts of `add_stake`.
#[derive(Accounts)]
pub struct AddStake {
    /// The node's authority; pays.
    #[account(mut, address = node.authority @ MarketError::NotNodeAuthority)]
    pub authority: Signer,
    /// The node.
    #[account(mut)]
    pub node: State<Node>,
    /// Moves the lamports.
    pub system_program: Program<System>,
}

impl AddStake {
    /// # Errors
    /// `NotNodeAuthority`, `Overflow`.
    pub fn handle(&mut self, amount: Amount) -> Result<()> {
        money::transfer_from_wallet(self.authority.account(), self.node.account(), amount)?;
        self.node.add_stake(amount)?;
        self.node.invariant()
    }
}
