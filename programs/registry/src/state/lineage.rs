use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};
use provena_common::account::State;

use super::{Asset, STATE_VERSION};
use crate::{
    constants::{MAX_INHERITED, MAX_PARENTS},
    error::RegistryError,
};

/// How an ancestor came into an asset's lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EdgeKind {
    /// The asset was made from it.
    Direct = 1,
    /// A parent was made from it, under a licence that binds every descendant.
    Inherited = 2,
}

/// Whose work an asset builds on, followed in its account by the [`Edge`]s. Edges are added, with the asset's draft or before
/// one of its versions, and never removed. It exists when there are any, and while the asset is a draft.
#[account]
#[derive(Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The derived [`Asset`].
    pub asset: Address,
    /// Began the asset's draft; all zero where there was none.
    pub registrant: Address,
    /// Slot in which the draft was begun.
    pub begun: u64,
    /// Edges to direct parents.
    pub direct: u8,
    /// Edges to ancestors behind them.
    pub inherited: u8,
    /// Of the account's address.
    pub bump: u8,
    /// [`STATE_VERSION`].
    pub version: u8,
    /// Zeros.
    pub tail: [u8; 28],
}

const _: () = assert!(size_of::<Lineage>() == 104);

/// One ancestor, and a copy of what its licence granted and asked. Later changes of the licence never reach it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable, IdlType)]
pub struct Edge {
    /// The ancestor's [`Asset`].
    pub parent: Address,
    /// The ancestor's royalty pool, which holds shares of the asset's.
    pub pool: Address,
    /// Number of the ancestor's [`Licence`](super::Licence).
    pub licence: u32,
    /// The ancestor's version that was built on, as the registrant says.
    pub parent_version: u32,
    /// The asset's version since which this holds.
    pub since: u32,
    /// What the licence allows to be done with the asset; see [`uses`](crate::constants::uses).
    pub uses: u32,
    /// Basis points of the asset's pool that the licence asked for the ancestor's pool, which held them then. Where several
    /// parents built on the ancestor, the highest.
    pub bps: u16,
    /// See [`EdgeKind`].
    pub kind: u8,
    /// 1 where the licence binds every descendant, else 0.
    pub absolute: u8,
    /// Edges of a direct parent's own lineage that must be looked at for what is inherited.
    pub to_inherit: u8,
    /// How many of them have been looked at.
    pub inherited: u8,
    /// Zeros.
    pub padding: [u8; 2],
}

const _: () = assert!(size_of::<Edge>() == 88);

/// A lineage's account: the header and its edges.
pub type LineageAccount = State<Lineage, Edge>;

provena_common::layout!(Lineage, STATE_VERSION);

impl Edge {
    /// Whether the asset was made from it, and not from something that was made from it.
    pub fn is_direct(&self) -> bool {
        self.kind == EdgeKind::Direct as u8
    }

    /// Whether its terms bind every descendant.
    pub fn is_absolute(&self) -> bool {
        self.absolute != 0
    }

    /// What of a parent's lineage passes to an asset that was built on this version of the parent.
    pub fn passes_from(&self, parent_version: u32) -> bool {
        self.is_absolute() && self.since <= parent_version
    }
}

/// Appends edges to a lineage and counts them in the asset, so that both agree and name each ancestor once.
///
/// Hence they promise at most all of a pool: every ancestor's pool holds what it was promised, each in a position of its own.
pub struct Growing<'a> {
    /// The derived asset.
    pub asset: &'a mut Asset,
    /// Its lineage.
    pub lineage: &'a mut LineageAccount,
    /// Signed; pays the rent of what the account grows by.
    pub payer: &'a AccountView,
}

impl Growing<'_> {
    /// Adds a direct parent.
    ///
    /// # Errors
    ///
    /// [`RegistryError::TooManyParents`]; [`RegistryError::DuplicateParent`] also where it was inherited already.
    pub fn add_direct(&mut self, edge: Edge) -> Result<()> {
        require!(usize::from(self.lineage.direct) < MAX_PARENTS, RegistryError::TooManyParents);
        let known = self.lineage.iter().any(|other| other.parent == edge.parent);
        require!(!known, RegistryError::DuplicateParent);
        self.lineage.direct = self.lineage.direct.saturating_add(1);
        self.asset.direct_parents = self.lineage.direct;
        if edge.to_inherit > 0 {
            self.asset.pending = self.asset.pending.saturating_add(1);
        }
        self.append(edge)
    }

    /// Adds an ancestor that a parent brings, or raises the terms of one that is there: it is paid once, at the highest rate.
    ///
    /// # Errors
    ///
    /// [`RegistryError::TooManyAncestors`].
    pub fn inherit(&mut self, edge: Edge) -> Result<()> {
        if let Some(known) = self.lineage.iter_mut().find(|other| other.parent == edge.parent) {
            known.bps = known.bps.max(edge.bps);
            known.uses &= edge.uses;
            self.asset.uses &= edge.uses;
            if !known.is_absolute() {
                known.absolute = 1;
                self.asset.absolute_parents = self.asset.absolute_parents.saturating_add(1);
            }
            return Ok(());
        }
        require!(usize::from(self.lineage.inherited) < MAX_INHERITED, RegistryError::TooManyAncestors);
        self.lineage.inherited = self.lineage.inherited.saturating_add(1);
        self.asset.inherited_parents = self.lineage.inherited;
        self.append(edge)
    }

    fn append(&mut self, edge: Edge) -> Result<()> {
        self.asset.uses &= edge.uses;
        self.asset.absolute_parents = self.asset.absolute_parents.saturating_add(edge.absolute);
        self.lineage.push(edge, self.payer)
    }
}

impl Lineage {
    /// What must hold whenever the account was written, for its header. A draft may have no parents yet.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BrokenInvariant`].
    pub fn invariant(&self) -> Result<()> {
        let sound = self.version == STATE_VERSION
            && usize::from(self.direct) <= MAX_PARENTS
            && usize::from(self.inherited) <= MAX_INHERITED
            && (self.direct > 0 || self.inherited == 0);
        require!(sound, RegistryError::BrokenInvariant);
        Ok(())
    }
}
