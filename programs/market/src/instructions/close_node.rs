//! Ends a node: stake and rent go back to its authority.

use anchor_lang::prelude::*;
use provena_common::account::{self, State};

use crate::{error::MarketError, state::Node};

/// Accounts of `close_node`.
#[derive(Accounts)]
pub struct CloseNode {
    /// The node's authority; receives stake and rent.
    #[account(mut, address = node.authority @ MarketError::NotNodeAuthority)]
    pub authority: Signer,
    /// The node, closed here.
    #[account(mut)]
    pub node: State<Node>,
}

impl CloseNode {
    /// # Errors
    /// `NotNodeAuthority`; `StakeLocked` while a job holds any of the stake.
    pub fn handle(&mut self) -> Result<()> {
        self.node.check_idle()?;
        account::close(self.node.account(), self.authority.account())?;
        Ok(())
    }
}
