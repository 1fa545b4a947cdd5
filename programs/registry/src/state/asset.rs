use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};
use provena_common::{account::State, amount::Bps};

use super::STATE_VERSION;
use crate::{
    constants::{MAX_FLOORS, MAX_INHERITED, MAX_PARENTS},
    error::RegistryError,
};

/// What an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AssetKind {
    /// Data that models are made from.
    Dataset = 1,
    /// Something that answers.
    Model = 2,
}

impl TryFrom<u8> for AssetKind {
    type Error = RegistryError;

    fn try_from(byte: u8) -> core::result::Result<Self, RegistryError> {
        match byte {
            1 => Ok(Self::Dataset),
            2 => Ok(Self::Model),
            _ => Err(RegistryError::BrokenInvariant),
        }
    }
}

/// Where an asset stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AssetStatus {
    /// Being put together over several transactions; it has no NFT yet.
    Draft = 1,
    /// In use: versions, licences, derivatives and offers are possible.
    Active = 2,
    /// Its content is disputed; nothing new is built on it. No instruction brings an asset here yet.
    Disputed = 3,
    /// A ruling went against it. No instruction brings an asset here yet.
    Frozen = 4,
}

impl TryFrom<u8> for AssetStatus {
    type Error = RegistryError;

    fn try_from(byte: u8) -> core::result::Result<Self, RegistryError> {
        match byte {
            1 => Ok(Self::Draft),
            2 => Ok(Self::Active),
            3 => Ok(Self::Disputed),
            4 => Ok(Self::Frozen),
            _ => Err(RegistryError::BrokenInvariant),
        }
    }
}

/// A model or dataset through all its versions, followed in its account by up to [`MAX_FLOORS`] [`Floor`]s.
///
/// Whoever holds the NFT of `mint` is the asset's owner.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Asset {
    /// Mint of the NFT that owns this asset.
    pub mint: Address,
    /// The one royalty pool of all versions, a verified creator of the NFT.
    pub pool: Address,
    /// Number of the latest [`Version`](super::Version); the first is 1.
    pub latest: u32,
    /// What its parents' licences allow to be done with it; see [`uses`](crate::constants::uses).
    pub uses: u32,
    /// Least royalty on use, in basis points of the fee. Never falls.
    pub floor_bps: u16,
    /// See [`AssetKind`].
    pub kind: u8,
    /// See [`AssetStatus`].
    pub status: u8,
    /// Edges of the [`Lineage`](super::Lineage) to direct parents.
    pub direct_parents: u8,
    /// Edges of the lineage to ancestors behind them.
    pub inherited_parents: u8,
    /// Edges of the lineage, direct or inherited, whose licence binds every descendant.
    pub absolute_parents: u8,
    /// Direct parents of a draft whose own ancestors are still to be inherited.
    pub pending: u8,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub padding: [u8; 2],
    /// Zeros.
    pub tail: [u32; 14],
}

const _: () = assert!(size_of::<Asset>() == 140);

/// The least royalty per unit of use in one mint. Never falls.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Floor {
    /// Payment mint; all zero for SOL.
    pub mint: Address,
    /// Base units of the mint for one unit of use; at least 1.
    pub per_unit: u64,
}

const _: () = assert!(size_of::<Floor>() == 40);

/// An asset's account: the header and its floors.
pub type AssetAccount = State<Asset, Floor>;

provena_common::layout!(Asset, STATE_VERSION);

/// The least royalty per unit that these floors ask in a mint; zero when they name none.
pub fn per_unit_floor(floors: &[Floor], mint: &Address) -> u64 {
    floors.iter().find(|floor| floor.mint == *mint).map_or(0, |floor| floor.per_unit)
}

/// Whether the floors are few enough, each asks for something, and no mint has two.
///
/// # Errors
///
/// [`RegistryError::TooManyFloors`], [`RegistryError::ZeroFloor`], [`RegistryError::DuplicateFloor`].
pub fn check_floors(floors: &[Floor]) -> Result<()> {
    require!(floors.len() <= MAX_FLOORS, RegistryError::TooManyFloors);
    for (index, floor) in floors.iter().enumerate() {
        require!(floor.per_unit > 0, RegistryError::ZeroFloor);
        let earlier = floors.get(..index).unwrap_or(&[]);
        require!(!earlier.iter().any(|other| other.mint == floor.mint), RegistryError::DuplicateFloor);
    }
    Ok(())
}

impl Asset {
    /// Model or dataset.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`] for a byte that no version of this program writes.
    pub fn kind(&self) -> core::result::Result<AssetKind, RegistryError> {
        AssetKind::try_from(self.kind)
    }

    /// Where the asset stands.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`] for a byte that no version of this program writes.
    pub fn status(&self) -> core::result::Result<AssetStatus, RegistryError> {
        AssetStatus::try_from(self.status)
    }

    /// Whether offers, versions, licences and derivatives are possible.
    pub fn is_active(&self) -> bool {
        self.status == AssetStatus::Active as u8
    }

    /// Passes only while the asset is active.
    ///
    /// # Errors
    ///
    /// [`RegistryError::AssetNotActive`].
    pub fn require_active(&self) -> Result<()> {
        require!(self.is_active(), RegistryError::AssetNotActive);
        Ok(())
    }

    /// Passes only for what is being put together.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotDraft`].
    pub fn require_draft(&self) -> Result<()> {
        require!(self.status == AssetStatus::Draft as u8, RegistryError::NotDraft);
        Ok(())
    }

    /// Whether its parents' licences allow all these [uses](crate::constants::uses).
    pub fn allows(&self, uses: u32) -> bool {
        self.uses & uses == uses
    }

    /// Edges of its lineage.
    pub fn edges(&self) -> u8 {
        self.direct_parents.saturating_add(self.inherited_parents)
    }

    /// The version that new parents count for: the first of a draft, else the next.
    ///
    /// # Errors
    ///
    /// [`RegistryError::AssetNotActive`] for an asset that is disputed or frozen, [`RegistryError::TooManyVersions`].
    pub fn version_for_parents(&self) -> Result<u32> {
        if self.status == AssetStatus::Draft as u8 {
            return Ok(self.latest);
        }
        self.require_active()?;
        Ok(self.latest.checked_add(1).ok_or(RegistryError::TooManyVersions)?)
    }

    /// Counts one more version and returns its number.
    ///
    /// # Errors
    ///
    /// [`RegistryError::TooManyVersions`].
    pub fn count_version(&mut self) -> Result<u32> {
        self.latest = self.latest.checked_add(1).ok_or(RegistryError::TooManyVersions)?;
        Ok(self.latest)
    }

    /// Raises the least royalty on use.
    ///
    /// # Errors
    ///
    /// [`RegistryError::FloorLowered`].
    pub fn raise_floor_bps(&mut self, bps: Bps) -> Result<()> {
        require!(bps.get() >= self.floor_bps, RegistryError::FloorLowered);
        self.floor_bps = bps.get();
        Ok(())
    }

    /// What must hold whenever the account was written.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        self.kind()?;
        self.status()?;
        let sound = self.version == STATE_VERSION
            && self.latest > 0
            && self.floor_bps <= Bps::FULL.get()
            && usize::from(self.direct_parents) <= MAX_PARENTS
            && usize::from(self.inherited_parents) <= MAX_INHERITED
            && self.absolute_parents <= self.edges()
            && self.pending <= self.direct_parents
            && (self.pending == 0 || self.status == AssetStatus::Draft as u8);
        require!(sound, RegistryError::BrokenInvariant);
        Ok(())
    }
}
