//! What the program announces in its logs, for indexers. Logs can be cut: the accounts are the truth.

use anchor_lang::prelude::*;

/// An asset was registered and its NFT minted.
#[event(bytemuck)]
pub struct AssetRegistered {
    /// The new asset.
    pub asset: Address,
    /// Mint of its NFT.
    pub mint: Address,
    /// Registered it and received the NFT.
    pub creator: Address,
    /// Content root of its first version.
    pub content_root: [u8; 32],
    /// See [`AssetKind`](crate::state::AssetKind).
    pub kind: u8,
    /// Direct parents.
    pub parents: u8,
    /// Zeros.
    pub padding: [u8; 6],
}

/// An asset has another direct parent.
#[event(bytemuck)]
pub struct ParentAdded {
    /// The asset, or its draft.
    pub asset: Address,
    /// The parent.
    pub parent: Address,
    /// The parent's licence.
    pub licence: Address,
}

/// An asset has a new latest version.
#[event(bytemuck)]
pub struct VersionAdded {
    /// The asset.
    pub asset: Address,
    /// Content root of the version.
    pub content_root: [u8; 32],
    /// Number of the version.
    pub n: u32,
    /// Zeros.
    pub padding: [u8; 4],
}

/// A floor was raised.
#[event(bytemuck)]
pub struct FloorRaised {
    /// The asset.
    pub asset: Address,
    /// Mint of `per_unit`; all zero for SOL, and when no floor per unit was raised.
    pub mint: Address,
    /// The floor per unit in this mint; zero when none was raised.
    pub per_unit: u64,
    /// The least royalty on use, in basis points.
    pub bps: u16,
    /// Zeros.
    pub padding: [u8; 6],
}

/// A licence was published.
#[event(bytemuck)]
pub struct LicencePublished {
    /// The asset.
    pub asset: Address,
    /// The licence.
    pub licence: Address,
}

/// A licence was retired.
#[event(bytemuck)]
pub struct LicenceRetired {
    /// The asset.
    pub asset: Address,
    /// The licence.
    pub licence: Address,
}
