//! Where an asset's accounts live, ours and the NFT's. Works on chain and on the host.

use anchor_lang::prelude::*;
use provena_common::pda::associated_token;

use crate::{
    ID,
    constants::{TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM, seeds},
};

/// The [`Admin`](crate::state::Admin) of this program.
pub fn admin() -> (Address, u8) {
    find_program_address(&[seeds::ADMIN], &ID)
}

/// The [`Asset`](crate::state::Asset) of an NFT's mint.
pub fn asset(mint: &Address) -> (Address, u8) {
    find_program_address(&[seeds::ASSET, mint.as_ref()], &ID)
}

/// The [`Version`](crate::state::Version) `n` of an asset; the first is 1.
pub fn version(asset: &Address, n: u32) -> (Address, u8) {
    find_program_address(&[seeds::VERSION, asset.as_ref(), &n.to_le_bytes()], &ID)
}

/// The [`Content`](crate::state::Content) with this content root.
pub fn content(root: &[u8; 32]) -> (Address, u8) {
    find_program_address(&[seeds::CONTENT, root], &ID)
}

/// The [`ContentClaim`](crate::state::ContentClaim) made with this [hash](crate::content_claim::claim_hash).
pub fn claim(hash: &[u8; 32]) -> (Address, u8) {
    find_program_address(&[seeds::CLAIM, hash], &ID)
}

/// The [`Licence`](crate::state::Licence) `id` of an asset.
pub fn licence(asset: &Address, id: u32) -> (Address, u8) {
    find_program_address(&[seeds::LICENCE, asset.as_ref(), &id.to_le_bytes()], &ID)
}

/// The [`Lineage`](crate::state::Lineage) of an asset; it exists when the asset has parents.
pub fn lineage(asset: &Address) -> (Address, u8) {
    find_program_address(&[seeds::LINEAGE, asset.as_ref()], &ID)
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

/// A wallet's associated token account for an asset's NFT.
pub fn token_account(wallet: &Address, mint: &Address) -> Address {
    associated_token(wallet, mint, &TOKEN_PROGRAM)
}
