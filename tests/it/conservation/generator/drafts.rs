//! Drafts, and parents of later versions.

use super::{Generator, registry::UNREGISTERED};
use crate::conservation::{
    model::{Edge, Holder, Model, POOLS},
    operation::Registry,
};

impl Generator {
    pub(super) fn drafting(&mut self, model: &Model) -> Registry {
        let drafts: Vec<_> = (0..POOLS).filter(|asset| model.drafts[*asset].is_some()).collect();
        let asset = match self.pick(&drafts) {
            Some(draft) if !self.once_in(3) => draft,
            _ => self.below(UNREGISTERED),
        };
        let registrant = model.known(asset).ok().and_then(|known| known.registrant);
        let by = registrant.filter(|_| !self.once_in(8)).unwrap_or_else(|| self.person());
        if model.drafts[asset].is_none() && model.assets[asset].is_none() || self.once_in(25) {
            return self.begin_asset(model, asset);
        }
        match self.below(9) {
            0..4 => self.add_parent(model, asset, by),
            4..6 => self.inherit(model, asset),
            6..8 => self.seal_asset(model, asset, by),
            _ => Registry::AbandonAsset { asset, by },
        }
    }

    fn begin_asset(&mut self, model: &Model, asset: usize) -> Registry {
        let parents = self.parents(model, asset);
        let (floor_bps, floors) = self.floors_asked(model, &parents);
        Registry::BeginAsset { asset, by: self.person(), model: !self.is_dataset(asset), floor_bps, floors }
    }

    /// Mostly an asset whose pool holds shares of this one's.
    fn add_parent(&mut self, model: &Model, asset: usize, registrant: usize) -> Registry {
        let holders = model.pools[asset].iter().flat_map(|pool| pool.positions.keys());
        let holding: Vec<usize> =
            holders.filter_map(|holder| if let Holder::Pool(pool) = holder { Some(*pool) } else { None }).collect();
        let parent = self.pick(&holding).filter(|_| !self.once_in(12)).unwrap_or_else(|| self.below(POOLS));
        // Anchor's own error for an account that is named twice is not of interest here.
        let parent = if parent == asset { (parent + 1) % POOLS } else { parent };
        let parent = self.parent(model, parent);
        let holder = model.drafts[asset].is_none() != self.once_in(12);
        let by = if holder { self.nft_holder(model, asset) } else { registrant };
        let licence = model.assets[parent.asset].as_ref().and_then(|known| known.licences.get(&parent.licence));
        let priced = licence.is_some_and(|licence| licence.terms.price.is_some());
        Registry::AddParent { asset, by, holder, parent, pays: priced != self.once_in(12) }
    }

    fn inherit(&mut self, model: &Model, asset: usize) -> Registry {
        let due: Vec<(usize, Edge)> = (0..POOLS)
            .filter_map(|asset| Some((asset, model.known(asset).ok()?)))
            .flat_map(|(asset, known)| known.edges.iter().map(move |edge| (asset, *edge)))
            .filter(|(_, edge)| edge.inherited < edge.to_inherit)
            .collect();
        let found = self.pick(&due).filter(|_| !self.once_in(6));
        let (asset, parent) = found.map_or((asset, self.below(POOLS)), |(asset, edge)| (asset, edge.parent));
        let parent = if parent == asset { (parent + 1) % POOLS } else { parent };
        Registry::Inherit { asset, by: self.person(), parent, count: self.one_of([0, 1, 1, 2, 48]) }
    }

    fn seal_asset(&mut self, model: &Model, asset: usize, by: usize) -> Registry {
        let claim = self.claim(model, Some(by));
        Registry::SealAsset { asset, claim, name_len: self.name_len() }
    }
}
