//! Whole instructions, with every account derived, and readers of accounts, for clients of the chain.

use anchor_lang::{
    AccountDeserialize,
    prelude::*,
    solana_program::instruction::{AccountMeta, Instruction},
};
use provena_common::{NATIVE_MINT, account::Layout, error::CommonError, pda::associated_token};

use crate::{ID, pda};

mod admin;
mod pools;
mod revenue;
mod shares;

pub use admin::*;
pub use pools::*;
pub use revenue::*;
pub use shares::*;

/// What is paid in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Currency {
    /// Lamports.
    Sol,
    /// Base units of a token.
    Token {
        /// Its mint.
        mint: Address,
        /// The mint's token program.
        program: Address,
    },
}

impl Currency {
    /// The mint, as the programs name it: zeros for SOL.
    #[must_use]
    pub const fn mint(self) -> Address {
        match self {
            Self::Sol => NATIVE_MINT,
            Self::Token { mint, .. } => mint,
        }
    }

    /// Where a wallet keeps it: the wallet itself, or its associated token account.
    #[must_use]
    pub fn account_of(self, wallet: &Address) -> Address {
        match self {
            Self::Sol => *wallet,
            Self::Token { mint, program } => associated_token(wallet, &mint, &program),
        }
    }

    /// The mint's account where an instruction needs one.
    const fn token_mint(self) -> Option<Address> {
        match self {
            Self::Sol => None,
            Self::Token { mint, .. } => Some(mint),
        }
    }

    /// The token program where an instruction needs one.
    const fn token_program(self) -> Option<Address> {
        match self {
            Self::Sol => None,
            Self::Token { program, .. } => Some(program),
        }
    }

    /// The vault of some books, if there is one.
    fn vault(self, books: &Address) -> Option<Address> {
        self.token_mint().map(|_| pda::vault(books).0)
    }

    /// The vault of an inbox, if there is one.
    fn inbox_vault(self, inbox: &Address) -> Option<Address> {
        self.token_mint().map(|_| pda::inbox_vault(inbox).0)
    }
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
