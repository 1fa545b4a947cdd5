//! Whole instructions with every account derived, and accounts read from their bytes, for all callers of the program.

use anchor_lang::{AccountDeserialize, bytemuck, prelude::*, solana_program::instruction::Instruction};
pub use provena_common::pda::associated_token;
pub use provena_royalty::client::Currency;

pub use admin::*;
pub use job::*;
pub use node::*;
pub use offer::*;
pub use treasury::*;

use crate::{ID, NATIVE_MINT};

mod admin;
mod job;
mod node;
mod offer;
mod treasury;

/// Decodes an account of this program from its bytes.
///
/// # Errors
/// Those of Anchor for a wrong discriminator or length.
pub fn decode<T: AccountDeserialize>(mut data: &[u8]) -> Result<T> {
    T::try_deserialize(&mut data)
}

/// The bytes of an account as they are stored, discriminator first.
#[must_use]
pub fn encode<T: Discriminator + bytemuck::Pod>(account: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(account)].concat()
}

/// The currency of an offer, a job or books, from the mint and token program that they name; both are zeros for SOL.
#[must_use]
pub fn currency(mint: &Address, token_program: &Address) -> Currency {
    if *mint == NATIVE_MINT { Currency::Sol } else { Currency::Token { mint: *mint, program: *token_program } }
}

/// The mint's account where an instruction needs one.
fn token_mint(currency: Currency) -> Option<Address> {
    match currency {
        Currency::Sol => None,
        Currency::Token { mint, .. } => Some(mint),
    }
}

/// The token program where an instruction needs one.
fn token_program(currency: Currency) -> Option<Address> {
    match currency {
        Currency::Sol => None,
        Currency::Token { program, .. } => Some(program),
    }
}

fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction { program_id: ID, accounts: accounts.to_account_metas(None), data: data.data() }
}
