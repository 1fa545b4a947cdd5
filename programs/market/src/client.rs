//! Whole instructions with every account derived, and accounts read from their bytes, for all callers of the program.

use anchor_lang::{AccountDeserialize, bytemuck, prelude::*, solana_program::instruction::Instruction};
pub use provena_common::pda::associated_token;

pub use admin::*;
pub use node::*;
pub use offer::*;
pub use treasury::*;

use crate::ID;

mod admin;
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

/// What a payment in tokens names besides its token accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The mint.
    pub mint: Address,
    /// Its token program.
    pub token_program: Address,
}

impl Payment {
    /// Of an offer, a job or books: `None` for SOL.
    #[must_use]
    pub fn of(mint: &Address, token_program: &Address) -> Option<Self> {
        (*mint != crate::NATIVE_MINT).then_some(Self { mint: *mint, token_program: *token_program })
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
