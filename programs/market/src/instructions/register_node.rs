//! Registers a node with its first stake.

use anchor_lang::prelude::*;
use provena_common::{account::State, amount::Amount, money, slot::Slot};

use crate::{
    constants::{NODE_SEED, pause},
    error::MarketError,
    events::NodeRegistered,
    state::{Admin, Node},
};

/// Accounts of `register_node`.
#[derive(Accounts)]
pub struct RegisterNode {
    /// The node's authority; pays rent and stake.
    #[account(mut)]
    pub authority: Signer,
    /// The market's settings.
    pub admin: State<Admin>,
    /// Created here; one per authority.
    #[account(
        init, payer = authority, space = State::<Node>::space(0),
        seeds = [NODE_SEED, authority.address().as_ref()], bump
    )]
    pub node: State<Node>,
    /// Creates the account.
    pub system_program: Program<System>,
}

impl RegisterNode {
    /// `key` is an X25519 key or zeros, `capacity` the jobs that the node works on at the same time or zero.
    ///
    /// # Errors
    /// `Paused`, `StakeTooLow`, `EndpointTooLong`.
    pub fn handle(&mut self, stake: Amount, endpoint: &str, key: [u8; 32], capacity: u32, bump: u8) -> Result<()> {
        self.admin.control.check_running(pause::NODES)?;
        require!(stake >= self.admin.min_stake(), MarketError::StakeTooLow);
        money::transfer_from_wallet(self.authority.account(), self.node.account(), stake)?;
        self.node.initialize(*self.authority.address(), Slot::now()?.0, bump);
        self.node.describe(endpoint, key, capacity)?;
        self.node.add_stake(stake)?;
        self.node.invariant()?;
        emit!(NodeRegistered { node: *self.node.address(), authority: *self.authority.address(), stake: stake.0 });
        Ok(())
    }
}
