//! Whole instructions with every account derived, and accounts read from their bytes, for all callers of the program.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};
pub use provena_common::{
    account::{decode, decode_with_items, encode},
    currency::Currency,
    pda::associated_token,
};

pub use admin::*;
pub use job::*;
pub use node::*;
pub use offer::*;
pub use treasury::*;

use crate::ID;

mod admin;
mod job;
mod node;
mod offer;
mod treasury;

fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction { program_id: ID, accounts: accounts.to_account_metas(None), data: data.data() }
}
