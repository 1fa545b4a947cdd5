//! Nodes and their stake.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};

use super::build;
use crate::{accounts, instruction, pda};

/// `register_node`. `key` is an X25519 key or zeros, `capacity` the jobs that the node works on at the same time or zero.
#[must_use]
pub fn register_node(authority: Address, stake: u64, endpoint: &str, key: [u8; 32], capacity: u32) -> Instruction {
    build(
        &accounts::RegisterNode {
            authority,
            admin: pda::admin().0,
            node: pda::node(&authority).0,
            system_program: System::id(),
        },
        &instruction::RegisterNode { stake, endpoint: endpoint.into(), key, capacity },
    )
}

/// `update_node`.
#[must_use]
pub fn update_node(authority: Address, endpoint: &str, key: [u8; 32], capacity: u32) -> Instruction {
    build(
        &accounts::UpdateNode { authority, node: pda::node(&authority).0 },
        &instruction::UpdateNode { endpoint: endpoint.into(), key, capacity },
    )
}

/// `add_stake`.
#[must_use]
pub fn add_stake(authority: Address, lamports: u64) -> Instruction {
    let node = pda::node(&authority).0;
    build(&accounts::AddStake { authority, node, system_program: System::id() }, &instruction::AddStake { lamports })
}

/// `withdraw_stake`.
#[must_use]
pub fn withdraw_stake(authority: Address, lamports: u64) -> Instruction {
    build(
        &accounts::WithdrawStake { authority, admin: pda::admin().0, node: pda::node(&authority).0 },
        &instruction::WithdrawStake { lamports },
    )
}

/// `close_node`.
#[must_use]
pub fn close_node(authority: Address) -> Instruction {
    build(&accounts::CloseNode { authority, node: pda::node(&authority).0 }, &instruction::CloseNode {})
}
