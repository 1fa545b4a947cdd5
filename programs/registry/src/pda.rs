//! Where an asset's accounts live, ours and the NFT's. Works on chain and on the host.

use anchor_lang::prelude::*;

use crate::{
    ID,
    constants::{ASSOCIATED_TOKEN_PROGRAM, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM, seeds},
};

/// The [`Asset`](crate::state::Asset) of an NFT's mint.
pub fn asset(mint: &Address) -> (Address, u8) {
    find_program_address(&[seeds::ASSET, mint.as_ref()], &ID)
}

/// The NFT's metadata account.
pub fn metadata(mint: &Address) -> (Address, u8) {
    let program = TOKEN_METADATA_PROGRAM;
    find_program_address(&[b"metadata", program.as_ref(), mint.as_ref()], &program)
}

/// The NFT's master edition account.
pub fn master_edition(mint: &Address) -> (Address, u8) {
    let program = TOKEN_METADATA_PROGRAM;
    find_program_address(&[b"metadata", program.as_ref(), mint.as_ref(), b"edition"], &program)
}

/// A wallet's associated token account for an SPL Token mint.
pub fn token_account(wallet: &Address, mint: &Address) -> (Address, u8) {
    let seeds = [wallet.as_ref(), TOKEN_PROGRAM.as_ref(), mint.as_ref()];
    find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM)
}
