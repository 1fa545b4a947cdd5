//! Addresses that belong to no program of ours.

use anchor_lang::prelude::*;

/// The program that derives associated token accounts.
pub const ASSOCIATED_TOKEN_PROGRAM: Address = Address::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// The associated token account of `wallet` for `mint`, a mint of `token_program`.
#[must_use]
pub fn associated_token(wallet: &Address, mint: &Address, token_program: &Address) -> Address {
    let seeds: [&[u8]; 3] = [wallet.as_ref(), token_program.as_ref(), mint.as_ref()];
    find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM).0
}
