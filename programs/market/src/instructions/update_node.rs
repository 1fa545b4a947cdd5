//! Changes what a node says about itself.

use anchor_lang::prelude::*;
use provena_common::account::State;

use crate::{error::MarketError, state::Node};

/// Accounts of `update_node`.
#[derive(Accounts)]
pub struct UpdateNode {
    /// The node's authority.
    #[account(address = node.authority @ MarketError::NotNodeAuthority)]
    pub authority: Signer,
    /// The node.
    #[account(mut)]
    pub node: State<Node>,
}

impl UpdateNode {
    /// Endpoint, X25519 key (or zeros) and capacity (or zero), as in `register_node`.
    ///
    /// # Errors
    /// `NotNodeAuthority`, `EndpointTooLong`.
    pub fn handle(&mut self, endpoint: &str, key: [u8; 32], capacity: u32) -> Result<()> {
        self.node.describe(endpoint, key, capacity)?;
        self.node.invariant()
    }
}
