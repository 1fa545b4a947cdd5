//! Whole instructions with every account derived, and accounts read from their bytes, for all callers of the program.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};
pub use provena_common::{
    account::{decode, decode_with_items, encode},
    pda::associated_token,
};
use provena_royalty::client::Currency;

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

/// What a payment in tokens names besides its token accounts. A payment in SOL is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The mint.
    pub mint: Address,
    /// Its token program.
    pub token_program: Address,
}

impl Payment {
    /// In the mint of an offer, a job or books: `None` for SOL.
    #[must_use]
    pub fn of(mint: &Address, token_program: &Address) -> Option<Self> {
        (*mint != NATIVE_MINT).then_some(Self { mint: *mint, token_program: *token_program })
    }

    /// In what the royalty program's client pays with: `None` for SOL.
    #[must_use]
    pub fn in_currency(currency: Currency) -> Option<Self> {
        match currency {
            Currency::Sol => None,
            Currency::Token { mint, program } => Some(Self { mint, token_program: program }),
        }
    }

    /// The associated token account of `wallet`.
    #[must_use]
    pub fn token_account(&self, wallet: &Address) -> Address {
        associated_token(wallet, &self.mint, &self.token_program)
    }
}

fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction { program_id: ID, accounts: accounts.to_account_metas(None), data: data.data() }
}
