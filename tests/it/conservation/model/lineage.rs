//! The registry program's drafts and lineages: who builds on whom, since when, and for how much.

use provena_common::error::CommonError;
use provena_registry::{
    error::RegistryError,
    state::{Asset as AssetState, Edge as EdgeState, Floor, Lineage},
};

use super::{
    super::{
        operation::{FloorOf, Parent, Program, Registering},
        rents::rent_of,
    },
    Answer, Asset, Claim, EXISTS, FROZEN, Holder, Model, Refusal, TOO_LITTLE, arrives,
    assets::{ADD_VERSION, DERIVE, NFT_COST, REGISTER, check_bps, check_floors, per_unit},
    demand,
};

/// Slots after which anybody may clear a draft away.
const LAPSES: u64 = 1_512_000;

/// An ancestor of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub parent: usize,
    pub licence: u32,
    /// The ancestor's, and the asset's since which it counts.
    pub version: u32,
    pub since: u32,
    pub bps: u16,
    pub uses: u32,
    pub direct: bool,
    pub absolute: bool,
    /// Of the parent's edges, and how many were looked at.
    pub to_inherit: usize,
    pub inherited: usize,
}

/// An asset that is being put together.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub asset: Asset,
    pub begun: u64,
}

impl Asset {
    pub(super) fn allows(&self, uses: u32) -> bool {
        self.uses & uses == uses
    }

    /// Direct parents that have something left to pass on.
    pub(crate) fn pending(&self) -> usize {
        self.edges.iter().filter(|edge| edge.inherited < edge.to_inherit).count()
    }

    /// Whether it has an account for its lineage.
    pub(crate) fn has_lineage(&self) -> bool {
        !self.edges.is_empty() || self.registrant.is_some()
    }

    /// Of its account and its lineage's.
    pub(super) fn rent(&self) -> u64 {
        let lineage = if self.has_lineage() { rent_of::<Lineage, EdgeState>(self.edges.len()) } else { 0 };
        rent_of::<AssetState, Floor>(self.floors.len()) + lineage
    }

    pub(super) fn add_direct(&mut self, edge: Edge) -> Answer {
        demand(self.edges.iter().all(|other| other.parent != edge.parent), RegistryError::DuplicateParent)?;
        self.uses &= edge.uses;
        self.edges.push(edge);
        Ok(())
    }

    /// Paid once, at the highest rate.
    fn inherit(&mut self, edge: Edge) {
        self.uses &= edge.uses;
        match self.edges.iter_mut().find(|other| other.parent == edge.parent) {
            Some(known) => {
                known.bps = known.bps.max(edge.bps);
                known.uses &= edge.uses;
                known.absolute = true;
            }
            None => self.edges.push(edge),
        }
    }
}

impl Model {
    /// A registered asset, or a draft.
    pub(crate) fn known(&self, asset: usize) -> Answer<&Asset> {
        let draft = self.drafts[asset].as_ref().map(|draft| &draft.asset);
        self.assets[asset].as_ref().or(draft).ok_or(Refusal::Missing)
    }

    fn known_mut(&mut self, asset: usize) -> Answer<&mut Asset> {
        let draft = self.drafts[asset].as_mut().map(|draft| &mut draft.asset);
        self.assets[asset].as_mut().or(draft).ok_or(Refusal::Missing)
    }

    /// A parent of a registration in one step grants for nothing, and its ancestors do not bind the derivative.
    pub(super) fn check_at_once(&self, named: &Parent) -> Answer {
        let parent = self.known(named.asset).map_err(|_| RegistryError::ParentNotFound)?;
        demand(parent.edges.iter().all(|edge| !edge.absolute), RegistryError::InheritanceDue)?;
        let licence = parent.licences.get(&named.licence).ok_or(Refusal::Missing)?;
        demand(licence.terms.price.is_none(), RegistryError::PriceDue)
    }

    /// What a parent grants to an asset, whose pool must hold what is asked.
    pub(super) fn grant(&self, own: usize, asset: &Asset, named: &Parent, since: u32, signed: bool) -> Answer<Edge> {
        let parent = self.known(named.asset)?;
        let licence = parent.licences.get(&named.licence).ok_or(Refusal::Missing)?;
        demand(self.assets[named.asset].is_some(), RegistryError::AssetNotActive)?;
        demand((1..=parent.latest).contains(&named.version), RegistryError::UnknownParentVersion)?;
        demand(licence.active, RegistryError::LicenceRetired)?;
        let terms = licence.terms;
        demand(terms.expires == 0 || self.slot <= terms.expires, RegistryError::LicenceExpired)?;
        demand(terms.most == 0 || licence.children < terms.most, RegistryError::LicenceExhausted)?;
        demand(parent.allows(DERIVE), RegistryError::UseNotAllowed)?;
        let asked = parent.floors.iter().chain(&terms.floor);
        let kept = asked.into_iter().all(|(mint, amount)| per_unit(&asset.floors, *mint) >= *amount);
        let bps_kept = asset.floor_bps >= parent.floor_bps && asset.floor_bps >= terms.floor_bps;
        demand(kept && bps_kept, RegistryError::FloorBelowParent)?;
        self.check_share(own, named.asset, terms.bps)?;
        demand(!terms.consent || signed, RegistryError::ConsentMissing)?;
        Ok(Edge {
            parent: named.asset,
            licence: named.licence,
            version: named.version,
            since,
            bps: terms.bps,
            uses: terms.uses & parent.uses,
            direct: true,
            absolute: terms.absolute,
            to_inherit: if parent.edges.iter().any(|edge| edge.absolute) { parent.edges.len() } else { 0 },
            inherited: 0,
        })
    }

    fn check_share(&self, own: usize, ancestor: usize, bps: u16) -> Answer {
        let pool = self.pools[own].as_ref().ok_or(Refusal::Missing)?;
        if bps == 0 {
            return Ok(());
        }
        let position = pool.positions.get(&Holder::Pool(ancestor)).ok_or(Refusal::Missing)?;
        let enough = u128::from(position.shares) * 10_000 >= u128::from(pool.total) * u128::from(bps);
        demand(enough, RegistryError::ParentShareMissing)
    }

    pub(super) fn count_grant(&mut self, parent: usize, licence: u32) {
        let parent = self.assets[parent].as_mut().expect("it granted");
        parent.licences.get_mut(&licence).expect("it granted").children += 1;
    }

    /// Whether a parent's holder signs: for this parent, for another one, or because it registers itself.
    pub(super) fn signs(&self, new: &Registering, named: &Parent) -> bool {
        let holder = self.nft_holder(named.asset);
        let asked = |parent: &&Parent| {
            let licence = self.assets[parent.asset].as_ref().and_then(|asset| asset.licences.get(&parent.licence));
            licence.is_some_and(|licence| licence.terms.consent)
        };
        let mut consenting = new.parents.iter().filter(asked).filter(|parent| parent.consents);
        holder == Some(new.claim.by) || consenting.any(|parent| self.nft_holder(parent.asset) == holder)
    }

    pub(super) fn begin_asset(
        &mut self,
        asset: usize,
        by: usize,
        model: bool,
        floor_bps: u16,
        floors: &[FloorOf],
    ) -> Answer {
        let pool = self.pools[asset].as_ref().ok_or(Refusal::Missing)?;
        demand(pool.sealed, RegistryError::PoolNotSealed)?;
        self.controls[&Program::Registry].check_running(REGISTER)?;
        demand(pool.changed < self.slot, RegistryError::PoolChanged)?;
        check_floors(floors)?;
        demand(self.known(asset).is_err(), EXISTS)?;
        check_bps(floor_bps)?;
        let mut new = Asset::new(model, floor_bps, floors);
        new.registrant = Some(by);
        self.spend(by, new.rent());
        self.drafts[asset] = Some(Draft { asset: new, begun: self.slot });
        Ok(())
    }

    /// Whether this wallet may go on with a draft.
    fn check_draft(&self, asset: usize, by: usize) -> Answer {
        let draft = self.drafts[asset].as_ref().ok_or(RegistryError::NotDraft)?;
        demand(draft.asset.registrant == Some(by), RegistryError::NotRegistrant)?;
        let pool = self.pools[asset].as_ref().ok_or(Refusal::Missing)?;
        demand(pool.sealed && pool.changed < draft.begun, RegistryError::PoolChanged)
    }

    pub(super) fn add_parent(&mut self, asset: usize, by: usize, holder: bool, named: &Parent, pays: bool) -> Answer {
        let found = self.known(asset)?;
        self.pools[asset].as_ref().ok_or(Refusal::Missing)?;
        let parent = self.known(named.asset)?;
        let licence = parent.licences.get(&named.licence).ok_or(Refusal::Missing)?;
        let price = licence.terms.price;
        let control = &self.controls[&Program::Registry];
        if holder {
            control.check_running(ADD_VERSION)?;
            demand(self.drafts[asset].is_none(), RegistryError::AssetNotActive)?;
            demand(self.nft_holder(asset) == Some(by), CommonError::NotNftHolder)?;
            demand(parent.edges.iter().all(|edge| edge.parent != asset), RegistryError::Cycle)?;
        } else {
            control.check_running(REGISTER)?;
            self.check_draft(asset, by)?;
        }
        let signed = named.consents || self.nft_holder(named.asset) == Some(by);
        let since = if holder { found.latest + 1 } else { 1 };
        let edge = self.grant(asset, found, named, since, signed)?;
        demand(!holder || edge.to_inherit == 0, RegistryError::InheritanceDue)?;
        demand(price.is_some() == pays, RegistryError::WrongPriceBooks)?;
        let mut changed = found.clone();
        if let Some((mint, amount)) = price {
            let pool = self.pools[named.asset].as_ref().ok_or(Refusal::Missing)?;
            demand(pool.books[mint].is_some(), Refusal::Missing)?;
            demand(!self.is_frozen(by, mint), FROZEN)?;
            demand(amount <= self.balances[by][mint], TOO_LITTLE)?;
        }
        changed.add_direct(edge)?;
        if let Some((mint, amount)) = price {
            self.pool_mut(named.asset)?.books_mut(mint)?.surplus += arrives(mint, amount);
            self.balances[by][mint] -= amount;
        }
        let growth = changed.rent() - self.known(asset)?.rent();
        *self.known_mut(asset)? = changed;
        self.spend(by, growth);
        self.count_grant(named.asset, named.licence);
        Ok(())
    }

    pub(super) fn inherit(&mut self, asset: usize, by: usize, parent: usize, count: u8) -> Answer {
        let found = self.known(asset)?;
        demand(found.has_lineage(), Refusal::Missing)?;
        self.pools[asset].as_ref().ok_or(Refusal::Missing)?;
        let parents = self.known(parent)?;
        demand(parents.has_lineage(), Refusal::Missing)?;
        demand(self.drafts[asset].is_some(), RegistryError::NotDraft)?;
        let place = found.edges.iter().position(|edge| edge.direct && edge.parent == parent);
        let place = place.ok_or(RegistryError::NothingToInherit)?;
        let edge = found.edges[place];
        let end = edge.to_inherit.min(edge.inherited + usize::from(count));
        demand(edge.inherited < end, RegistryError::NothingToInherit)?;
        let mut changed = found.clone();
        for ancestor in &parents.edges[edge.inherited..end] {
            if !ancestor.absolute || ancestor.since > edge.version {
                continue;
            }
            self.check_share(asset, ancestor.parent, ancestor.bps)?;
            changed.inherit(Edge { since: edge.since, direct: false, to_inherit: 0, inherited: 0, ..*ancestor });
        }
        changed.edges[place].inherited = end;
        let growth = changed.rent() - found.rent();
        *self.known_mut(asset)? = changed;
        self.spend(by, growth);
        Ok(())
    }

    pub(super) fn seal_asset(&mut self, asset: usize, claim: &Claim, name_len: usize) -> Answer {
        demand(self.claims.contains_key(claim), Refusal::Missing)?;
        let pool = self.pools[asset].as_ref().ok_or(Refusal::Missing)?;
        demand(pool.sealed, RegistryError::PoolNotSealed)?;
        self.controls[&Program::Registry].check_running(REGISTER)?;
        demand(name_len > 0, RegistryError::EmptyName)?;
        demand(name_len <= 32, RegistryError::NameTooLong)?;
        demand(self.known(asset)?.has_lineage(), Refusal::Missing)?;
        self.check_draft(asset, claim.by)?;
        let new = self.known(asset)?.clone();
        demand(new.pending() == 0, RegistryError::InheritanceDue)?;
        self.check_version(new.model, new.model, claim)?;
        self.spend(claim.by, NFT_COST);
        self.record_version(asset, 1, claim);
        self.drafts[asset] = None;
        self.assets[asset] = Some(new);
        self.pool_mut(asset)?.nft = Some(claim.by);
        Ok(())
    }

    pub(super) fn abandon_asset(&mut self, asset: usize, by: usize) -> Answer {
        let found = self.known(asset)?;
        let registrant = found.registrant.ok_or(Refusal::Missing)?;
        let draft = self.drafts[asset].as_ref().ok_or(RegistryError::NotDraft)?;
        let lapsed = self.slot - draft.begun > LAPSES;
        let dead = self.pools[asset].as_ref().is_none_or(|pool| pool.changed >= draft.begun);
        demand(lapsed || dead || by == registrant, RegistryError::NotRegistrant)?;
        let gone = self.drafts[asset].take().expect("it is there").asset;
        self.refund(registrant, gone.rent());
        for edge in gone.edges.iter().filter(|edge| edge.direct) {
            let parent = self.assets[edge.parent].as_mut().expect("it granted");
            parent.licences.get_mut(&edge.licence).expect("it granted").children -= 1;
        }
        Ok(())
    }
}
