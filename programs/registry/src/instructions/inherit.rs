//! Passes on to a draft what its parent owes to ancestors.

use anchor_lang::prelude::*;
use provena_common::account::State;
use provena_royalty::state::Pool;

use crate::{
    error::RegistryError,
    lineage::{check_lineage, check_share},
    state::{AssetAccount, Edge, EdgeKind, Growing, LineageAccount},
};

/// Accounts of `inherit`. Anybody may call it: nothing can be chosen. For each ancestor that passes follows the position of its
/// pool in the asset's pool, in the order of the parent's edges.
#[derive(Accounts)]
pub struct Inherit {
    /// Pays the rent of what the lineage grows by.
    #[account(mut)]
    pub payer: Signer,
    /// The draft.
    #[account(mut)]
    pub asset: AssetAccount,
    /// Its lineage.
    #[account(mut)]
    pub lineage: LineageAccount,
    /// Its pool.
    #[account(address = asset.pool @ RegistryError::WrongPool)]
    pub pool: State<Pool>,
    /// The parent's lineage.
    pub parent_lineage: LineageAccount,
    /// The System program.
    pub system_program: Program<System>,
}

impl Inherit {
    /// Looks at up to `count` more edges of the parent that edge number `parent` of the asset names. What binds every descendant
    /// and held when the parent's version was made is copied; the rest is passed over.
    ///
    /// # Errors
    ///
    /// [`RegistryError::NotDraft`], [`RegistryError::WrongLineage`], [`RegistryError::NothingToInherit`],
    /// [`RegistryError::WrongParentAccounts`]; those of `check_share` and [`Growing::inherit`].
    pub fn handle(&mut self, parent: u8, count: u8, positions: &[AccountView]) -> Result<()> {
        self.asset.require_draft()?;
        check_lineage(&self.lineage, self.asset.address())?;
        let place = usize::from(parent);
        let edge = *self.lineage.get(place).ok_or(RegistryError::NothingToInherit)?;
        check_lineage(&self.parent_lineage, &edge.parent)?;
        let end = edge.inherited.saturating_add(count).min(edge.to_inherit);
        require!(edge.inherited < end, RegistryError::NothingToInherit);

        let mut positions = positions.iter();
        let looked_at = usize::from(edge.inherited)..usize::from(end);
        let ancestors = self.parent_lineage.as_slice().get(looked_at).ok_or(RegistryError::BrokenInvariant)?;
        let payer = self.payer.account();
        let mut growing = Growing { asset: &mut self.asset, lineage: &mut self.lineage, payer };
        for ancestor in ancestors.iter().filter(|ancestor| ancestor.passes_from(edge.parent_version)) {
            let position = positions.next().ok_or(RegistryError::WrongParentAccounts)?;
            check_share(position, &self.pool, &ancestor.pool, ancestor.bps)?;
            growing.inherit(inherited(ancestor, edge.since))?;
        }
        require!(positions.next().is_none(), RegistryError::WrongParentAccounts);
        self.note(place, end)
    }

    fn note(&mut self, place: usize, end: u8) -> Result<()> {
        let edge = self.lineage.get_mut(place).ok_or(RegistryError::BrokenInvariant)?;
        edge.inherited = end;
        if end == edge.to_inherit {
            self.asset.pending = self.asset.pending.checked_sub(1).ok_or(RegistryError::BrokenInvariant)?;
        }
        self.lineage.invariant()?;
        self.asset.invariant()
    }
}

/// The copy of an ancestor's edge that holds since the asset's version `since`.
fn inherited(ancestor: &Edge, since: u32) -> Edge {
    Edge { since, kind: EdgeKind::Inherited as u8, to_inherit: 0, inherited: 0, ..*ancestor }
}
