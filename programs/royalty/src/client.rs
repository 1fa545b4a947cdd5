//! Whole instructions, with every account derived, and readers of accounts, for clients of the chain.

use anchor_lang::{
    AccountDeserialize,
    prelude::*,
    solana_program::instruction::{AccountMeta, Instruction},
};
pub use provena_common::currency::Currency;
use provena_common::{account::Layout, error::CommonError};

use crate::{ID, pda};

mod admin;
mod earnings;
mod pools;
mod revenue;
mod shares;

pub use admin::*;
pub use earnings::*;
pub use pools::*;
pub use revenue::*;
pub use shares::*;

/// The vault of some books; none for SOL.
fn vault_of(currency: Currency, books: &Address) -> Option<Address> {
    currency.token_mint().map(|_| pda::vault(books).0)
}

/// The vault of an inbox; none for SOL.
fn inbox_vault_of(currency: Currency, inbox: &Address) -> Option<Address> {
    currency.token_mint().map(|_| pda::inbox_vault(inbox).0)
}

/// Decodes an account of this program, as strictly as the program does.
///
/// # Errors
/// `AccountLength`, `StateVersion`; Anchor's for another discriminator.
pub fn decode<T: AccountDeserialize + Layout>(mut data: &[u8]) -> Result<T> {
    let expected = T::DISCRIMINATOR.len().saturating_add(size_of::<T>());
    require!(data.len() == expected, CommonError::AccountLength);
    let account = T::try_deserialize(&mut data)?;
    require!(account.version() == T::VERSION, CommonError::StateVersion);
    Ok(account)
}

/// The bytes of an account as they are stored, discriminator first.
#[must_use]
pub fn encode<T: Layout>(account: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(account)].concat()
}

fn build(accounts: &impl ToAccountMetas, data: &impl InstructionData) -> Instruction {
    Instruction { program_id: ID, accounts: accounts.to_account_metas(None), data: data.data() }
}

fn followed_by(mut instruction: Instruction, accounts: impl IntoIterator<Item = AccountMeta>) -> Instruction {
    instruction.accounts.extend(accounts);
    instruction
}

fn writable(address: Address) -> AccountMeta {
    AccountMeta::new(address, false)
}

fn readonly(address: Address) -> AccountMeta {
    AccountMeta::new_readonly(address, false)
}
