//! What the program announces in its logs, for indexers.

use anchor_lang::prelude::*;

/// An asset was registered and its NFT minted.
#[event(bytemuck)]
pub struct AssetRegistered {
    pub asset: Address,
    pub mint: Address,
    pub creator: Address,
    pub content_root: [u8; 32],
    pub version: u32,
    /// See [`AssetKind`](crate::state::AssetKind).
    pub kind: u8,
    pub parent_count: u8,
    pub padding: [u8; 2],
}
