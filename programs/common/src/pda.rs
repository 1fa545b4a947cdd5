//! Addresses: questions about them, and those that belong to no program of ours.

use anchor_lang::prelude::*;

/// The program that derives associated token accounts.
pub const ASSOCIATED_TOKEN_PROGRAM: Address = Address::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// Whether an address is all zeros: nobody, or SOL where a mint is meant.
#[must_use]
pub fn is_zero(address: &Address) -> bool {
    address.as_array().as_chunks::<8>().0.iter().all(|chunk| u64::from_le_bytes(*chunk) == 0)
}

/// The associated token account of `wallet` for `mint`, a mint of `token_program`.
#[must_use]
pub fn associated_token(wallet: &Address, mint: &Address, token_program: &Address) -> Address {
    let seeds: [&[u8]; 3] = [wallet.as_ref(), token_program.as_ref(), mint.as_ref()];
    find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM).0
}
