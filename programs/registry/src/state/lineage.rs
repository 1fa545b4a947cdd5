use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};
use provena_common::account::State;

use super::STATE_VERSION;
use crate::{constants::MAX_PARENTS, error::RegistryError};

/// How an ancestor came into an asset's lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EdgeKind {
    /// The asset was made from it.
    Direct = 1,
    /// A parent was made from it. No instruction writes such an edge yet.
    Inherited = 2,
}

/// Whose work an asset builds on, followed in its account by the [`Edge`]s. Frozen at registration; it exists when
/// there are any.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The derived [`Asset`](super::Asset).
    pub asset: Address,
    /// Edges to direct parents.
    pub direct: u8,
    /// Edges to ancestors behind them; always zero so far.
    pub inherited: u8,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub tail: [u8; 64],
}

const _: () = assert!(size_of::<Lineage>() == 100);

/// One parent, and a copy of what its licence granted and asked. Later changes of the licence never reach it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Edge {
    /// The parent's [`Asset`](super::Asset).
    pub parent: Address,
    /// The parent's royalty pool, which holds shares of the child's.
    pub pool: Address,
    /// Number of the parent's [`Licence`](super::Licence).
    pub licence: u32,
    /// The parent's version that was built on, as the registrant says.
    pub parent_version: u32,
    /// The child's version since which this holds.
    pub since: u32,
    /// Basis points of the child's pool that the licence asked for the parent's pool, which held them at registration.
    pub bps: u16,
    /// See [`EdgeKind`].
    pub kind: u8,
    /// Zero.
    pub padding: u8,
}

const _: () = assert!(size_of::<Edge>() == 80);

/// A lineage's account: the header and its edges.
pub type LineageAccount = State<Lineage, Edge>;

provena_common::layout!(Lineage, STATE_VERSION);

/// Whether the edges are few enough and name each ancestor once.
///
/// Hence they promise at most all of a pool: every parent's pool holds what it was promised, each in a position of its
/// own.
///
/// # Errors
///
/// [`RegistryError::TooManyParents`], [`RegistryError::DuplicateParent`].
pub fn check_edges(edges: &[Edge]) -> Result<()> {
    require!(edges.len() <= MAX_PARENTS, RegistryError::TooManyParents);
    for (index, edge) in edges.iter().enumerate() {
        let earlier = edges.get(..index).unwrap_or(&[]);
        require!(!earlier.iter().any(|other| other.parent == edge.parent), RegistryError::DuplicateParent);
    }
    Ok(())
}

impl Lineage {
    /// What must hold whenever the account was written, for its header.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == STATE_VERSION && self.direct > 0, RegistryError::BrokenInvariant);
        Ok(())
    }
}
