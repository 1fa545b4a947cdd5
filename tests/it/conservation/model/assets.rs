//! The registry program: claims, assets with their versions, licences and floors, and who may change them.

use std::collections::BTreeMap;

use provena_common::error::CommonError;
use provena_registry::{
    error::RegistryError,
    state::{Asset as AssetState, Content, Edge, Floor, Licence as LicenceState, Lineage, Version},
};

use super::{
    super::{
        operation::{FloorOf, Parent, Program, Registering, Registry},
        rents::{CLAIM_RENT, rent, rent_of},
    },
    Answer, EXISTS, Holder, Model, Refusal, demand,
};

const REGISTER: u32 = 1;
const ADD_VERSION: u32 = 2;
const PUBLISH_LICENCE: u32 = 4;

/// What Token Metadata takes for an NFT: rents of mint, token account, metadata and edition, and its own fee.
const NFT_COST: u64 = rent(82) + rent(165) + rent(607) + rent(20) + 10_000_000;

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
    pub bps: u16,
    pub floor_bps: u16,
    pub floor: Option<FloorOf>,
    pub consent: bool,
    pub active: bool,
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
    /// Parents, with the basis points that their licences asked.
    pub parents: Vec<(usize, u16)>,
}

impl Asset {
    /// Least royalty per unit in a mint.
    pub(crate) fn floor(&self, mint: usize) -> u64 {
        per_unit(&self.floors, mint)
    }
}

fn per_unit(floors: &[FloorOf], mint: usize) -> u64 {
    floors.iter().find(|(asked, _)| *asked == mint).map_or(0, |(_, amount)| *amount)
}

fn check_bps(bps: u16) -> Answer {
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
            Registry::PublishLicence { asset, by, id, bps, floor_bps, floor, consent } => {
                let licence =
                    Licence { bps: *bps, floor_bps: *floor_bps, floor: *floor, consent: *consent, active: true };
                self.publish_licence(*asset, *by, *id, licence)
            }
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
                let holds = self.check_nft_holder(*asset, *by);
                self.asset_mut(*asset)?;
                holds?;
                demand(*len <= 200, RegistryError::UriTooLong)
            }
        }
    }

    fn asset_mut(&mut self, asset: usize) -> Answer<&mut Asset> {
        self.assets[asset].as_mut().ok_or(Refusal::Missing)
    }

    /// Closes a claim; its rent goes to whoever made it.
    fn use_claim(&mut self, claim: &Claim) {
        self.claims.remove(claim);
        self.refund(claim.by, CLAIM_RENT);
    }

    /// A claim is used 8 slots after it was made, and within a day.
    fn check_version(&self, model: bool, recipe: bool, claim: &Claim) -> Answer {
        demand(recipe || !model, RegistryError::EmptyRecipe)?;
        demand(!recipe || model, RegistryError::RecipeOfDataset)?;
        let age = self.slot - self.claims[claim];
        demand(age >= 8, RegistryError::ClaimTooYoung)?;
        demand(age <= 216_000, RegistryError::ClaimLapsed)?;
        demand(!self.contents.contains_key(&claim.content), RegistryError::ContentTaken)
    }

    fn record_version(&mut self, asset: usize, n: u32, claim: &Claim) {
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
        for (index, (mint, amount)) in new.floors.iter().enumerate() {
            demand(*amount > 0, RegistryError::ZeroFloor)?;
            demand(per_unit(&new.floors[..index], *mint) == 0, RegistryError::DuplicateFloor)?;
        }
        demand(self.assets[new.asset].is_none(), EXISTS)?;
        check_bps(new.floor_bps)?;
        self.check_version(model, model, &new.claim)?;
        let mut parents: Vec<(usize, u16)> = Vec::new();
        for parent in &new.parents {
            let bps = self.check_parent(new, parent)?;
            parents.push((parent.asset, bps));
        }
        let distinct: std::collections::BTreeSet<usize> = parents.iter().map(|(parent, _)| *parent).collect();
        demand(distinct.len() == parents.len(), RegistryError::DuplicateParent)?;

        let lineage = if parents.is_empty() { 0 } else { rent_of::<Lineage, Edge>(parents.len()) };
        self.spend(by, rent_of::<AssetState, Floor>(new.floors.len()) + lineage + NFT_COST);
        self.record_version(new.asset, 1, &new.claim);
        let asset = Asset {
            model,
            latest: 1,
            floor_bps: new.floor_bps,
            floors: new.floors.clone(),
            licences: BTreeMap::new(),
            parents,
        };
        self.assets[new.asset] = Some(asset);
        self.pool_mut(new.asset)?.nft = Some(by);
        Ok(())
    }

    /// What the parent's licence asks of the new asset's pool, which must hold so much.
    fn check_parent(&self, new: &Registering, named: &Parent) -> Answer<u16> {
        let parent = self.assets[named.asset].as_ref().ok_or(RegistryError::ParentNotFound)?;
        demand((1..=parent.latest).contains(&named.version), RegistryError::UnknownParentVersion)?;
        let licence = parent.licences.get(&named.licence).ok_or(Refusal::Missing)?;
        demand(licence.active, RegistryError::LicenceRetired)?;
        let asked = parent.floors.iter().chain(&licence.floor);
        let kept = asked.into_iter().all(|(mint, amount)| per_unit(&new.floors, *mint) >= *amount);
        let bps_kept = new.floor_bps >= parent.floor_bps && new.floor_bps >= licence.floor_bps;
        demand(kept && bps_kept, RegistryError::FloorBelowParent)?;
        let pool = self.pools[new.asset].as_ref().ok_or(Refusal::Missing)?;
        let position = pool.positions.get(&Holder::Pool(named.asset)).ok_or(Refusal::Missing)?;
        let enough = u128::from(position.shares) * 10_000 >= u128::from(pool.total) * u128::from(licence.bps);
        demand(enough, RegistryError::ParentShareMissing)?;
        demand(!licence.consent || self.signs(new, named), RegistryError::ConsentMissing)?;
        Ok(licence.bps)
    }

    /// Whether a parent's holder signs: for this parent, for another one, or because it registers itself.
    fn signs(&self, new: &Registering, named: &Parent) -> bool {
        let holder = self.nft_holder(named.asset);
        let asked = |parent: &&Parent| {
            let licence = self.assets[parent.asset].as_ref().and_then(|asset| asset.licences.get(&parent.licence));
            licence.is_some_and(|licence| licence.consent)
        };
        let mut consenting = new.parents.iter().filter(asked).filter(|parent| parent.consents);
        holder == Some(new.claim.by) || consenting.any(|parent| self.nft_holder(parent.asset) == holder)
    }

    fn add_version(&mut self, asset: usize, claim: &Claim, recipe: bool) -> Answer {
        let found = self.assets[asset].as_ref().ok_or(Refusal::Missing)?;
        demand(self.claims.contains_key(claim), Refusal::Missing)?;
        self.controls[&Program::Registry].check_running(ADD_VERSION)?;
        self.check_nft_holder(asset, claim.by)?;
        self.check_version(found.model, recipe, claim)?;
        let found = self.asset_mut(asset)?;
        found.latest += 1;
        let n = found.latest;
        self.record_version(asset, n, claim);
        Ok(())
    }

    fn publish_licence(&mut self, asset: usize, by: usize, id: u32, licence: Licence) -> Answer {
        let found = self.assets[asset].as_ref().ok_or(Refusal::Missing)?;
        self.controls[&Program::Registry].check_running(PUBLISH_LICENCE)?;
        self.check_nft_holder(asset, by)?;
        demand(!found.licences.contains_key(&id), EXISTS)?;
        demand(licence.floor.is_none_or(|(_, amount)| amount > 0), RegistryError::ZeroFloor)?;
        check_bps(licence.bps)?;
        check_bps(licence.floor_bps)?;
        self.spend(by, rent_of::<LicenceState, ()>(0));
        self.asset_mut(asset)?.licences.insert(id, licence);
        Ok(())
    }

    fn raise_floor(&mut self, asset: usize, by: usize, bps: u16, floor: Option<FloorOf>) -> Answer {
        let found = self.assets[asset].as_ref().ok_or(Refusal::Missing)?;
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
