//! Registers a node with its first stake.

use anchor_lang::prelude::*;
use provena_common::{
    account::{self, State},
    amount::Amount,
    money,
    slot::Slot,
};

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
    /// To be created; one per authority.
    #[account(mut)]
    pub node: UncheckedAccount,
    /// Creates the account.
    pub system_program: Program<System>,
}

impl RegisterNode {
    /// `key` is an X25519 key or zeros, `capacity` the jobs that the node works on at the same time or zero.
    ///
    /// # Errors
    /// `Paused`, `StakeTooLow`, `EndpointTooLong`, `WrongPda`; the System program's where the account exists already.
    pub fn handle(&mut self, stake: Amount, endpoint: &str, key: [u8; 32], capacity: u32) -> Result<()> {
        self.admin.control.check_running(pause::NODES)?;
        require!(stake >= self.admin.min_stake(), MarketError::StakeTooLow);
        let (payer, account, authority) = (self.authority.account(), self.node.account(), self.authority.address());
        let (mut node, bump) = account::create::<Node>(payer, account, &[NODE_SEED, authority.as_ref()])?;
        money::transfer_from_wallet(payer, account, stake)?;
        node.initialize(*authority, Slot::now()?.0, bump);
        node.describe(endpoint, key, capacity)?;
        node.add_stake(stake)?;
        node.invariant()?;
        emit!(NodeRegistered { node: *node.address(), authority: *authority, stake: stake.0 });
        Ok(())
    }
}
