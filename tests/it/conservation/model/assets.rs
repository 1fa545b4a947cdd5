//! The registry program: claims, assets with their versions, licences and floors, and who may change them.

use std::collections::BTreeMap;

use provena_common::error::CommonError;
use provena_registry::{
    error::RegistryError,
    state::{Content, Licence as LicenceState, Version},
};

use super::{
    super::{
        operation::{FloorOf, LicenceOf, Program, Registering, Registry},
        rents::{CLAIM_RENT, rent, rent_of},
    },
    Answer, EXISTS, Model, Refusal, demand,
    lineage::Edge,
};

pub(super) const REGISTER: u32 = 1;
pub(super) const ADD_VERSION: u32 = 2;
const PUBLISH_LICENCE: u32 = 4;

/// A use: licences of one's own.
pub(super) const DERIVE: u32 = 2;

/// What Token Metadata takes for an NFT: rents of mint, token account, metadata and edition, and its own fee.
pub(super) const NFT_COST: u64 = rent(82) + rent(165) + rent(607) + rent(20) + 10_000_000;

/// A claim to content, by the wallet that made it. The number stands for the content's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    pub by: usize,
    pub content: u32,
    pub salt: u8,
}

/// What an asset grants to derivatives.
#[derive(Clone, Debug)]
pub(crate) struct Licence {
    pub terms: LicenceOf,
    pub active: bool,
    /// Derivatives that were granted.
    pub children: u32,
}

/// A model or dataset. Who holds its NFT stands in its pool.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub model: bool,
    pub latest: u32,
    pub floor_bps: u16,
    /// Base units per unit of use by mint, in the order in which they were asked first.
    pub floors: Vec<FloorOf>,
    pub licences: BTreeMap<u32, Licence>,
    /// What its parents' licences allow.
    pub uses: u32,
    pub edges: Vec<Edge>,
    /// Who began it as a draft.
    pub registrant: Option<usize>,
}

impl Asset {
    /// Version 1, without parents.
    pub(super) fn new(model: bool, floor_bps: u16, floors: &[FloorOf]) -> Self {
        Self {
            model,
            latest: 1,
            floor_bps,
            floors: floors.to_vec(),
            licences: BTreeMap::new(),
            uses: u32::MAX,
            edges: Vec::new(),
            registrant: None,
        }
    }

    /// Least royalty per unit in a mint.
    pub(crate) fn floor(&self, mint: usize) -> u64 {
        per_unit(&self.floors, mint)
    }
}

pub(super) fn check_floors(floors: &[FloorOf]) -> Answer {
    for (index, (mint, amount)) in floors.iter().enumerate() {
        demand(*amount > 0, RegistryError::ZeroFloor)?;
        demand(per_unit(&floors[..index], *mint) == 0, RegistryError::DuplicateFloor)?;
    }
    Ok(())
}

pub(super) fn per_unit(floors: &[FloorOf], mint: usize) -> u64 {
    floors.iter().find(|(asked, _)| *asked == mint).map_or(0, |(_, amount)| *amount)
}

pub(super) fn check_bps(bps: u16) -> Answer {
    demand(bps <= 10_000, CommonError::BpsTooHigh)
}

impl Model {
    pub(super) fn apply_registry(&mut self, instruction: &Registry) -> Answer {
        match instruction {
            Registry::ClaimContent(claim) => {
                demand(!self.claims.contains_key(claim), EXISTS)?;
                self.claims.insert(*claim, self.slot);
                self.spend(claim.by, CLAIM_RENT);
                Ok(())
            }
            Registry::AbandonClaim { by, claim } => {
                let made = *self.claims.get(claim).ok_or(Refusal::Missing)?;
                demand(*by == claim.by || self.slot > made + 216_000, RegistryError::NotClaimant)?;
                self.use_claim(claim);
                Ok(())
            }
            Registry::RegisterDataset(new) => self.register(new, false),
            Registry::RegisterModel(new) => self.register(new, true),
            Registry::AddVersion { asset, claim, recipe } => self.add_version(*asset, claim, *recipe),
            Registry::BeginAsset { asset, by, model, floor_bps, floors } => {
                self.begin_asset(*asset, *by, *model, *floor_bps, floors)
            }
            Registry::AddParent { asset, by, holder, parent, pays } => {
                self.add_parent(*asset, *by, *holder, parent, *pays)
            }
            Registry::Inherit { asset, by, parent, count } => self.inherit(*asset, *by, *parent, *count),
            Registry::SealAsset { asset, claim, name_len } => self.seal_asset(*asset, claim, *name_len),
            Registry::AbandonAsset { asset, by } => self.abandon_asset(*asset, *by),
            Registry::PublishLicence { asset, by, id, terms } => self.publish_licence(*asset, *by, *id, *terms),
            Registry::RetireLicence { asset, by, id } => {
                let holds = self.check_nft_holder(*asset, *by);
                let licence = self.asset_mut(*asset)?.licences.get_mut(id).ok_or(Refusal::Missing)?;
                holds?;
                demand(licence.active, RegistryError::LicenceRetired)?;
                licence.active = false;
                Ok(())
            }
            Registry::RaiseFloor { asset, by, bps, floor } => self.raise_floor(*asset, *by, *bps, *floor),
            Registry::SetUri { asset, by, len } => {
                self.registered(*asset)?;
                self.check_nft_holder(*asset, *by)?;
                demand(*len <= 200, RegistryError::UriTooLong)
            }
        }
    }

    pub(super) fn asset_mut(&mut self, asset: usize) -> Answer<&mut Asset> {
        self.assets[asset].as_mut().ok_or(Refusal::Missing)
    }

    /// An asset that is no draft; nobody holds a draft's NFT.
    fn registered(&self, asset: usize) -> Answer<&Asset> {
        let missing = if self.drafts[asset].is_some() { CommonError::NotNftHolder.into() } else { Refusal::Missing };
        self.assets[asset].as_ref().ok_or(missing)
    }

    /// Closes a claim; its rent goes to whoever made it.
    fn use_claim(&mut self, claim: &Claim) {
        self.claims.remove(claim);
        self.refund(claim.by, CLAIM_RENT);
    }

    /// A claim is used 8 slots after it was made, and within a day.
    pub(super) fn check_version(&self, model: bool, recipe: bool, claim: &Claim) -> Answer {
        demand(recipe || !model, RegistryError::EmptyRecipe)?;
        demand(!recipe || model, RegistryError::RecipeOfDataset)?;
        let age = self.slot - self.claims[claim];
        demand(age >= 8, RegistryError::ClaimTooYoung)?;
        demand(age <= 216_000, RegistryError::ClaimLapsed)?;
        demand(!self.contents.contains_key(&claim.content), RegistryError::ContentTaken)
    }

    pub(super) fn record_version(&mut self, asset: usize, n: u32, claim: &Claim) {
        self.spend(claim.by, rent_of::<Content, ()>(0) + rent_of::<Version, ()>(0));
        self.contents.insert(claim.content, (asset, n));
        self.use_claim(claim);
    }

    fn register(&mut self, new: &Registering, model: bool) -> Answer {
        let by = new.claim.by;
        demand(self.claims.contains_key(&new.claim), Refusal::Missing)?;
        let pool = self.pools[new.asset].as_ref().ok_or(Refusal::Missing)?;
        demand(pool.sealed, RegistryError::PoolNotSealed)?;
        self.controls[&Program::Registry].check_running(REGISTER)?;
        demand(new.name_len > 0, RegistryError::EmptyName)?;
        demand(new.name_len <= 32, RegistryError::NameTooLong)?;
        check_floors(&new.floors)?;
        demand(self.assets[new.asset].is_none() && self.drafts[new.asset].is_none(), EXISTS)?;
        check_bps(new.floor_bps)?;
        self.check_version(model, model, &new.claim)?;
        let mut asset = Asset::new(model, new.floor_bps, &new.floors);
        let mut granting = Vec::new();
        for parent in &new.parents {
            self.check_at_once(parent)?;
            let edge = self.grant(new.asset, &asset, parent, 1, self.signs(new, parent))?;
            asset.add_direct(edge)?;
            granting.push((parent.asset, parent.licence));
        }
        for (parent, licence) in granting {
            self.count_grant(parent, licence);
        }
        self.spend(by, asset.rent() + NFT_COST);
        self.record_version(new.asset, 1, &new.claim);
        self.assets[new.asset] = Some(asset);
        self.pool_mut(new.asset)?.nft = Some(by);
        Ok(())
    }

    fn add_version(&mut self, asset: usize, claim: &Claim, recipe: bool) -> Answer {
        demand(self.claims.contains_key(claim), Refusal::Missing)?;
        self.controls[&Program::Registry].check_running(ADD_VERSION)?;
        let found = self.registered(asset)?;
        self.check_nft_holder(asset, claim.by)?;
        self.check_version(found.model, recipe, claim)?;
        let found = self.asset_mut(asset)?;
        found.latest += 1;
        let n = found.latest;
        self.record_version(asset, n, claim);
        Ok(())
    }

    fn publish_licence(&mut self, asset: usize, by: usize, id: u32, terms: LicenceOf) -> Answer {
        self.controls[&Program::Registry].check_running(PUBLISH_LICENCE)?;
        let found = self.registered(asset)?;
        self.check_nft_holder(asset, by)?;
        demand(terms.uses != 0, RegistryError::NoUses)?;
        demand(found.allows(DERIVE | terms.uses), RegistryError::UseNotAllowed)?;
        demand(terms.expires == 0 || self.slot <= terms.expires, RegistryError::LicenceExpired)?;
        demand(!found.licences.contains_key(&id), EXISTS)?;
        demand(terms.floor.is_none_or(|(_, amount)| amount > 0), RegistryError::ZeroFloor)?;
        demand(terms.price.is_none_or(|(_, amount)| amount > 0), RegistryError::ZeroPrice)?;
        check_bps(terms.bps)?;
        check_bps(terms.floor_bps)?;
        self.spend(by, rent_of::<LicenceState, ()>(0));
        self.asset_mut(asset)?.licences.insert(id, Licence { terms, active: true, children: 0 });
        Ok(())
    }

    fn raise_floor(&mut self, asset: usize, by: usize, bps: u16, floor: Option<FloorOf>) -> Answer {
        let found = self.registered(asset)?;
        self.check_nft_holder(asset, by)?;
        check_bps(bps)?;
        demand(bps >= found.floor_bps, RegistryError::FloorLowered)?;
        if let Some((mint, amount)) = floor {
            demand(amount >= found.floor(mint), RegistryError::FloorLowered)?;
            demand(amount > 0, RegistryError::ZeroFloor)?;
        }
        let found = self.asset_mut(asset)?;
        found.floor_bps = bps;
        if let Some((mint, amount)) = floor {
            match found.floors.iter_mut().find(|(asked, _)| *asked == mint) {
                Some((_, present)) => *present = amount,
                None => {
                    found.floors.push((mint, amount));
                    // Forty bytes more.
                    self.spend(by, rent(40) - rent(0));
                }
            }
        }
        Ok(())
    }
}
