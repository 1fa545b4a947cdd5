//! Who builds on whom: what a licence counts, what a lineage keeps for ever, and whose a draft is.

use provena_registry::{
    constants::MAX_DRAFT_AGE,
    pda,
    state::{Asset, AssetStatus, Edge, Floor, Licence, Lineage},
};
use provena_royalty::state::Pool;
use solana_account::AccountSharedData;

use super::{super::snapshot::read_with_items, Effect, mint};

impl Effect<'_> {
    /// Anybody may take what a licence grants; where it wants consent, or ends, its owner signs.
    pub(super) fn licence(&self, was: &Licence, is: Option<&Licence>) {
        let is = is.expect("a licence is never closed");
        let granted = is.children > was.children;
        if is.flags != was.flags || (granted && was.needs_consent()) {
            self.needs_holder(&mint(self.before, &was.asset), "a licence");
        }
        if granted {
            let open = was.is_active() && (was.expires == 0 || self.before.now <= was.expires);
            assert!(open && is.children == was.children + 1, "{} granted what it cannot", self.account);
            assert!(was.most_children == 0 || is.children <= was.most_children, "{} granted too much", self.account);
        }
    }

    /// Edges are added and never removed; what they promise never falls.
    pub(super) fn lineage(&self, was: &Lineage, edges: &[Edge], is: &AccountSharedData) {
        let Some((_, new)) = read_with_items::<Lineage, Edge>(is) else { return self.abandoned(was) };
        assert!(new.len() >= edges.len(), "{} lost an edge", self.account);
        for (was, is) in edges.iter().zip(&new) {
            let kept = Edge { bps: was.bps, uses: was.uses, absolute: was.absolute, inherited: was.inherited, ..*is };
            assert_eq!(kept, *was, "an edge of {} changed", self.account);
            let grew = is.bps >= was.bps && is.absolute >= was.absolute && is.inherited >= was.inherited;
            assert!(grew && is.uses & !was.uses == 0, "an edge of {} went back", self.account);
        }
    }

    /// Only whoever began a draft gives it up, or anybody once it has lapsed.
    fn abandoned(&self, was: &Lineage) {
        let asset = self.before.get(&was.asset).and_then(read_with_items::<Asset, Floor>);
        let pool = asset.and_then(|(asset, _)| self.before.read::<Pool>(&asset.pool));
        let dead = pool.is_none_or(|pool| pool.assigned >= was.begun);
        if !dead && self.before.now <= was.begun + MAX_DRAFT_AGE {
            self.needs(&was.registrant, "the draft");
        }
    }

    /// Only the holder changes an asset, only its registrant a draft; but anybody may go on with what is inherited. Floors
    /// never fall.
    pub(super) fn asset(&self, was: &Asset, floors: &[Floor], is: &AccountSharedData) {
        let lineage = self.before.get(&pda::lineage(self.account).0);
        let lineage = lineage.and_then(read_with_items::<Lineage, Edge>).map(|(lineage, _)| lineage);
        let draft = was.status == AssetStatus::Draft as u8;
        let Some((is, new)) = read_with_items::<Asset, Floor>(is) else {
            assert!(draft, "{} is no draft and was closed", self.account);
            return self.abandoned(&lineage.expect("a draft has a lineage"));
        };
        let inherited = Asset {
            uses: was.uses,
            inherited_parents: was.inherited_parents,
            absolute_parents: was.absolute_parents,
            pending: was.pending,
            ..is
        };
        if inherited != *was || new != floors {
            match lineage.filter(|_| draft) {
                Some(lineage) => self.needs(&lineage.registrant, "a draft"),
                None => self.needs_holder(&was.mint, "an asset"),
            }
        }
        assert!(is.floor_bps >= was.floor_bps && is.latest >= was.latest, "asset {} went back", self.account);
        assert!(is.uses & !was.uses == 0 && is.edges() >= was.edges(), "asset {} went back", self.account);
        for (was, is) in floors.iter().zip(&new) {
            assert!(is.mint == was.mint && is.per_unit >= was.per_unit, "a floor of {} fell", self.account);
        }
    }
}
