//! Instructions of the registry program.

use super::Generator;
use crate::conservation::{
    model::{Claim, Holder, MINTS, Model, POOLS},
    operation::{FloorOf, LicenceOf, Operation, Parent, Registering, Registry},
};

/// Pools below this one are those of datasets, mostly.
pub(super) const DATASETS: usize = 2;
/// No more parents than this: more of them, with their holders, do not fit into a transaction without a lookup table.
const MOST_PARENTS: usize = 3;
/// From this one on pools stay without an asset.
pub(super) const UNREGISTERED: usize = POOLS - 1;

impl Generator {
    pub(super) fn registry(&mut self, model: &Model) -> Operation {
        let asset = self.asset(model);
        let by = self.nft_holder(model, asset);
        if self.once_in(3) {
            return Operation::Registry(self.drafting(model));
        }
        Operation::Registry(match self.below(20) {
            0..5 => self.claim_content(model),
            5 => self.abandon_claim(model),
            6..9 => self.register(model),
            9..13 => self.add_version(model, asset),
            13..16 => self.publish_licence(model, asset, by),
            16 => Registry::RetireLicence { asset, by, id: self.licence(model, asset) },
            17..19 => {
                let floor = self.floor();
                Registry::RaiseFloor { asset, by, bps: self.raised_bps(model, asset), floor }
            }
            _ => Registry::SetUri { asset, by, len: self.one_of([0, 40, 200, 201]) },
        })
    }

    /// Mostly an asset that is registered.
    pub(super) fn asset(&mut self, model: &Model) -> usize {
        let known: Vec<_> = (0..POOLS).filter(|asset| model.assets[*asset].is_some()).collect();
        match self.pick(&known) {
            Some(asset) if !self.once_in(20) => asset,
            _ => self.below(POOLS),
        }
    }

    /// Mostly whoever holds an asset's NFT.
    pub(super) fn nft_holder(&mut self, model: &Model, asset: usize) -> usize {
        model.nft_holder(asset).filter(|_| !self.once_in(7)).unwrap_or_else(|| self.person())
    }

    fn claim_content(&mut self, model: &Model) -> Registry {
        let known: Vec<_> = model.claims.keys().copied().collect();
        if let Some(claim) = self.pick(&known).filter(|_| self.once_in(10)) {
            return Registry::ClaimContent(claim);
        }
        self.next_content += 1;
        // Now and then what others claimed, too, or registered.
        let content = if self.once_in(5) { self.next() as u32 % self.next_content } else { self.next_content };
        Registry::ClaimContent(Claim { by: self.person(), content, salt: self.one_of([1, 2]) })
    }

    fn abandon_claim(&mut self, model: &Model) -> Registry {
        let claim = self.claim(model, None);
        let by = if self.once_in(3) { self.person() } else { claim.by };
        Registry::AbandonClaim { by, claim }
    }

    /// Mostly a claim that exists, of this wallet if there is one.
    pub(super) fn claim(&mut self, model: &Model, by: Option<usize>) -> Claim {
        let fits = |claim: &&Claim| by.is_none_or(|by| claim.by == by);
        let known: Vec<_> = model.claims.keys().filter(fits).copied().collect();
        let ripe: Vec<_> = known.iter().copied().filter(|claim| model.slot >= model.claims[claim] + 8).collect();
        let found = if self.once_in(6) { self.pick(&known) } else { self.pick(&ripe).or_else(|| self.pick(&known)) };
        let by = by.unwrap_or_else(|| self.person());
        let content = self.next_content;
        found.unwrap_or(Claim { by, content, salt: 1 })
    }

    fn floor(&mut self) -> Option<FloorOf> {
        // Most prices per unit are some or about a million.
        let amount = if self.once_in(3) { self.one_of([0, 2, 5_000]) } else { 1 };
        self.once_in(2).then(|| (self.below(MINTS), amount))
    }

    fn raised_bps(&mut self, model: &Model, asset: usize) -> u16 {
        let present = model.assets[asset].as_ref().map_or(0, |asset| asset.floor_bps);
        match self.below(12) {
            0 => present.saturating_sub(1),
            1 => 10_001,
            2 if self.once_in(4) => present + 100,
            3 if self.once_in(2) => present + 1,
            _ => present,
        }
    }

    fn publish_licence(&mut self, model: &Model, asset: usize, by: usize) -> Registry {
        let uses = model.assets[asset].as_ref().map_or(u32::MAX, |asset| asset.uses);
        let terms = LicenceOf {
            bps: self.one_of([0, 1, 500, 1_000, 3_333, 10_000, 10_001]),
            floor_bps: self.one_of([0, 0, 0, 100, 10_001]),
            floor: if self.once_in(4) { self.floor() } else { None },
            consent: self.once_in(3),
            absolute: self.once_in(2),
            uses: if self.once_in(6) { self.one_of([0, 1, 2, 3, u32::MAX]) } else { uses },
            price: self.once_in(4).then(|| (self.below(MINTS), self.one_of([0, 1, 999, 1_000_003]))),
            expires: if self.once_in(4) { (model.slot + 1_000).saturating_sub(self.next() % 1_200) } else { 0 },
            most: if self.once_in(4) { self.one_of([1, 2]) } else { 0 },
        };
        Registry::PublishLicence { asset, by, id: u32::try_from(self.below(8)).expect("few"), terms }
    }

    /// Mostly a licence that exists.
    pub(super) fn licence(&mut self, model: &Model, asset: usize) -> u32 {
        let known: Vec<_> = model.assets[asset].iter().flat_map(|asset| asset.licences.keys().copied()).collect();
        self.pick(&known).filter(|_| !self.once_in(12)).unwrap_or(1)
    }

    fn add_version(&mut self, model: &Model, asset: usize) -> Registry {
        let holder = model.nft_holder(asset).filter(|_| !self.once_in(6));
        let claim = self.claim(model, holder);
        let is_model = model.assets[asset].as_ref().is_none_or(|asset| asset.model);
        Registry::AddVersion { asset, claim, recipe: is_model != self.once_in(15) }
    }

    fn register(&mut self, model: &Model) -> Registry {
        let sealed = |asset: &usize| model.pools[*asset].as_ref().is_some_and(|pool| pool.sealed);
        let free: Vec<_> = (0..UNREGISTERED).filter(sealed).filter(|asset| model.assets[*asset].is_none()).collect();
        let asset = self.pick(&free).filter(|_| !self.once_in(6)).unwrap_or_else(|| self.below(UNREGISTERED));
        let claim = self.claim(model, None);
        self.registering(model, asset, claim)
    }

    fn registering(&mut self, model: &Model, asset: usize, claim: Claim) -> Registry {
        let parents = self.parents(model, asset);
        let (floor_bps, floors) = self.floors_asked(model, &parents);
        let name_len = self.name_len();
        let new = Registering { asset, claim, name_len, floor_bps, floors, parents };
        let dataset = self.is_dataset(asset);
        if dataset { Registry::RegisterDataset(new) } else { Registry::RegisterModel(new) }
    }

    pub(super) fn is_dataset(&mut self, asset: usize) -> bool {
        (asset < DATASETS) != self.once_in(8)
    }

    pub(super) fn name_len(&mut self) -> usize {
        if self.once_in(20) { self.one_of([0, 33]) } else { 6 }
    }

    /// Mostly what the parents ask.
    pub(super) fn floors_asked(&mut self, model: &Model, parents: &[Parent]) -> (u16, Vec<FloorOf>) {
        let mut floors: Vec<FloorOf> = Vec::new();
        let mut floor_bps = 0;
        for parent in parents {
            let Some(known) = &model.assets[parent.asset] else { continue };
            let licence = known.licences.get(&parent.licence);
            floor_bps = floor_bps.max(known.floor_bps).max(licence.map_or(0, |licence| licence.terms.floor_bps));
            for (mint, amount) in known.floors.iter().chain(licence.and_then(|licence| licence.terms.floor.as_ref())) {
                match floors.iter_mut().find(|(asked, _)| asked == mint) {
                    Some((_, asked)) => *asked = (*asked).max(*amount),
                    None => floors.push((*mint, *amount)),
                }
            }
        }
        if self.once_in(8) {
            floors.extend(self.floor());
        }
        if self.once_in(12) {
            floors.pop();
        }
        floor_bps = if self.once_in(12) { floor_bps.saturating_sub(1) } else { floor_bps };
        (floor_bps, floors)
    }

    /// Mostly assets whose pools hold shares of the new one's.
    pub(super) fn parents(&mut self, model: &Model, asset: usize) -> Vec<Parent> {
        let holders = model.pools[asset].iter().flat_map(|pool| pool.positions.keys());
        let holding: Vec<usize> =
            holders.filter_map(|holder| if let Holder::Pool(pool) = holder { Some(*pool) } else { None }).collect();
        let mut parents = Vec::new();
        for parent in holding {
            if model.assets[parent].is_none() && !self.once_in(20) || self.once_in(10) {
                continue;
            }
            parents.push(self.parent(model, parent));
        }
        if self.once_in(15) {
            let parent = self.below(POOLS);
            if parent != asset {
                parents.push(self.parent(model, parent));
            }
        }
        parents.truncate(MOST_PARENTS);
        parents
    }

    pub(super) fn parent(&mut self, model: &Model, asset: usize) -> Parent {
        let latest = model.assets[asset].as_ref().map_or(1, |asset| asset.latest);
        let version = if self.once_in(15) { latest + 1 } else { latest };
        Parent { asset, licence: self.licence(model, asset), version, consents: !self.once_in(6) }
    }
}
