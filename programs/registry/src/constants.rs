//! Limits and names that clients share with this program.

use anchor_lang::prelude::*;

pub use provena_royalty::{INSTRUCTIONS_SYSVAR, TOKEN_METADATA_PROGRAM, TOKEN_PROGRAM};

/// Creates the wallet's token account for the NFT.
pub const ASSOCIATED_TOKEN_PROGRAM: Address = Address::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// Direct parents of one asset.
pub const MAX_PARENTS: usize = 16;
/// Bytes of an NFT's name, as Token Metadata stores it.
pub const MAX_NAME_LEN: usize = 32;
/// Bytes of an NFT's symbol.
pub const MAX_SYMBOL_LEN: usize = 10;
/// Bytes of an NFT's URI.
pub const MAX_URI_LEN: usize = 200;
/// All of something, in basis points.
pub const FULL_BPS: u16 = 10_000;

/// Seed prefixes of the program's addresses; [`crate::pda`] derives them.
pub mod seeds {
    /// `["asset", mint]`
    pub const ASSET: &[u8] = b"asset";
}
