use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};

use super::{Licence, STATE_VERSION};
use crate::{
    constants::{FULL_BPS, MAX_PARENTS},
    error::RegistryError,
};

/// What an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AssetKind {
    Dataset = 1,
    Model = 2,
}

impl AssetKind {
    /// The byte that [`Asset::kind`] stores.
    pub fn byte(self) -> u8 {
        match self {
            Self::Dataset => 1,
            Self::Model => 2,
        }
    }

    /// From the stored byte; `None` for a byte that no version of this program writes.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Dataset),
            2 => Some(Self::Model),
            _ => None,
        }
    }
}

/// One version of a model or dataset. Never changes after registration.
#[account]
pub struct Asset {
    /// The NFT that owns this asset.
    pub mint: Address,
    /// Registered it, received the NFT, and alone may register its next version.
    pub creator: Address,
    /// The royalty pool, a verified creator of the NFT.
    pub pool: Address,
    /// The [`Asset`] of the version before; all zero for the first.
    pub previous: Address,
    /// Merkle root over the artifact's 64 KiB chunks.
    pub content_root: [u8; 32],
    /// Hash of what turns the content into answers; all zero for datasets.
    pub recipe_root: [u8; 32],
    pub licence: Licence,
    /// Starts at 1.
    pub version: u32,
    /// See [`AssetKind`].
    pub kind: u8,
    pub parent_count: u8,
    pub bump: u8,
    pub state_version: u8,
    pub padding: [u8; 4],
    /// Slot of the registration.
    pub registered_slot: u64,
    /// The first `parent_count` entries count.
    pub parents: [Parent; MAX_PARENTS],
    pub reserved: [u8; 32],
}

const _: () = assert!(size_of::<Asset>() == 1432);

/// A direct parent and the share it was promised, frozen at registration.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Parent {
    /// The parent's [`Asset`].
    pub asset: Address,
    /// The parent's royalty pool, which holds shares of the child's.
    pub pool: Address,
    /// Basis points of the child's pool that the parent's pool held at registration, at least.
    pub bps: u16,
    pub padding: [u8; 6],
}

impl Asset {
    /// Bytes of the account, its discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// The parents that count.
    pub fn parents(&self) -> &[Parent] {
        self.parents.get(..usize::from(self.parent_count)).unwrap_or(&[])
    }

    /// Model or dataset.
    pub fn kind(&self) -> Option<AssetKind> {
        AssetKind::from_byte(self.kind)
    }

    /// Adds one parent.
    ///
    /// Errors: [`RegistryError::ParentIsSelf`], [`RegistryError::DuplicateParent`], [`RegistryError::TooManyParents`].
    pub fn add_parent(&mut self, own_address: &Address, parent: Parent) -> Result<()> {
        require!(parent.asset != *own_address, RegistryError::ParentIsSelf);
        let known = self.parents().iter().any(|other| other.asset == parent.asset);
        require!(!known, RegistryError::DuplicateParent);
        let slot = self.parents.get_mut(usize::from(self.parent_count));
        *slot.ok_or(RegistryError::TooManyParents)? = parent;
        self.parent_count = self.parent_count.saturating_add(1);
        Ok(())
    }

    /// What must hold whenever the account was written.
    pub fn invariant(&self) -> Result<()> {
        let promised = self.parents().iter().fold(0u32, |sum, parent| sum.saturating_add(u32::from(parent.bps)));
        require!(promised <= u32::from(FULL_BPS), RegistryError::ParentBpsTooHigh);
        let sound = self.state_version == STATE_VERSION && self.kind().is_some() && self.version > 0;
        require!(sound, RegistryError::BrokenInvariant);
        Ok(())
    }
}
