//! Parents that an asset's next version is made from. Their shares come out of those of the asset's owner, and they stay.

use provena_registry::state::Edge;
use provena_royalty::state::Position;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use super::{
    Mint, MintError, ParentPlan, check,
    error::unread,
    parents::{self, Parent},
    steps::Building,
};
use crate::{
    asset::{self, Owner},
    chain::accounts,
    royalty,
    share::Share,
};

impl Mint<'_> {
    /// Looks up what is to be added to the next version of the owner's asset, as far as it is not there yet.
    ///
    /// # Errors
    /// [`MintError`] for what cannot be added.
    pub(super) async fn later_parents(
        &self,
        owner: &Owner<'_>,
        plans: &[ParentPlan],
    ) -> Result<Vec<Parent<'_>>, MintError> {
        if plans.is_empty() {
            return Ok(Vec::new());
        }
        let registered = owner.registered();
        let edges = registered.parents(self.chain).await?;
        let next = registered.asset.latest.saturating_add(1);
        for plan in plans {
            let address = provena_registry::pda::asset(&plan.share.address).0;
            if edges.iter().any(|edge| edge.parent == address && edge.since < next) {
                return Err(MintError::ParentAlready(plan.share.address));
            }
        }
        let keys: Vec<&Keypair> = self.consents.iter().chain([self.creator]).collect();
        let found = parents::find(self.chain, &missing(plans, &edges), &keys, &[]).await?;
        if let Some(passing) = found.iter().find(|parent| parent.registered.asset.absolute_parents > 0) {
            return Err(MintError::PassesOn(passing.registered.mint));
        }
        check_floors(owner, &found)?;
        Ok(found)
    }

    /// Gives each parent its shares and adds it to the next version of the owner's asset.
    ///
    /// # Errors
    /// [`MintError`].
    pub(super) async fn add_parents(
        &self,
        owner: &Owner<'_>,
        parents: &[Parent<'_>],
        step: &dyn Fn(&'static str),
    ) -> Result<Vec<Signature>, MintError> {
        let registered = owner.registered();
        let mut signatures = Vec::new();
        for pool in check::pools(parents)? {
            step("giving the parents their shares");
            signatures.extend(self.fund(&registered.mint, &pool).await?);
        }
        step("adding the parents");
        let building = Building {
            chain: self.chain,
            builder: self.creator,
            mint: registered.mint,
            nft: Some(owner.nft()),
            parents,
        };
        signatures.extend(building.take().await?);
        Ok(signatures)
    }

    /// Moves what a parent's pool has too little of from the owner's shares to it.
    async fn fund(&self, asset: &Pubkey, pool: &Share) -> Result<Option<Signature>, MintError> {
        let wallet = self.creator.pubkey();
        let own = royalty::holding(self.chain, asset, &wallet).await?;
        let address = provena_royalty::pda::position(&own.pool, &pool.address).0;
        let there = accounts::fetch_optional::<Position, _>(self.chain, &address).await;
        let has = there.map_err(unread("a position"))?.map_or(0, |position| position.shares);
        // Shares are written as parts of the usual total; a pool may have another.
        let needed = pool.of(own.state.total_shares).saturating_sub(has);
        if needed == 0 {
            return Ok(None);
        }
        Ok(Some(royalty::transfer(self.chain, self.creator, &own, &pool.address, needed).await?))
    }
}

/// The plans of what is no parent yet.
fn missing(plans: &[ParentPlan], edges: &[Edge]) -> Vec<ParentPlan> {
    let known = |plan: &&ParentPlan| {
        let address = provena_registry::pda::asset(&plan.share.address).0;
        !edges.iter().any(|edge| edge.parent == address)
    };
    plans.iter().filter(known).copied().collect()
}

/// A floor that a parent asks for can be raised before, and not be undercut.
fn check_floors(owner: &Owner<'_>, parents: &[Parent<'_>]) -> Result<(), MintError> {
    let asset::Registered { asset, floors, mint, .. } = owner.registered();
    for parent in parents {
        let (bps, per_unit) = parent.floors();
        let kept = |asked: &provena_registry::state::Floor| {
            provena_registry::state::per_unit_floor(floors, &asked.mint) >= asked.per_unit
        };
        if asset.floor_bps < bps || !per_unit.iter().all(kept) {
            return Err(MintError::FloorTooLow { asset: *mint, parent: parent.registered.mint, bps });
        }
    }
    Ok(())
}
