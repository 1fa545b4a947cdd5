//! What is paid in, as clients of the programs say it.

use anchor_lang::prelude::*;

use crate::{NATIVE_MINT, pda::associated_token};

/// SOL, or a token.
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
    /// That of a mint as accounts of the programs name it; of SOL, whose mint is zeros, `program` does not matter.
    #[must_use]
    pub fn of(mint: &Address, program: &Address) -> Self {
        if *mint == NATIVE_MINT { Self::Sol } else { Self::Token { mint: *mint, program: *program } }
    }

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
        self.token_account(wallet).unwrap_or(*wallet)
    }

    /// A wallet's associated token account; none for SOL.
    #[must_use]
    pub fn token_account(self, wallet: &Address) -> Option<Address> {
        match self {
            Self::Sol => None,
            Self::Token { mint, program } => Some(associated_token(wallet, &mint, &program)),
        }
    }

    /// The mint's account where an instruction needs one; none for SOL.
    #[must_use]
    pub const fn token_mint(self) -> Option<Address> {
        match self {
            Self::Sol => None,
            Self::Token { mint, .. } => Some(mint),
        }
    }

    /// The token program where an instruction needs one; none for SOL.
    #[must_use]
    pub const fn token_program(self) -> Option<Address> {
        match self {
            Self::Sol => None,
            Self::Token { program, .. } => Some(program),
        }
    }
}
