//! Drafts at every step, and parents of a next version.

use provena_registry::{LicenceTerms, Price, client};
use solana_signer::Signer;

use super::populated::Site;
use crate::{
    registry::{Building, PERCENT, Registered, building::later_parent, dataset, terms},
    tokens::Money,
};

const TENTH: u64 = 10 * PERCENT;

pub(super) fn build(site: &mut Site) {
    let root = dataset(site.world(), "root of drafts", &[]);
    let price = Price { mint: Money::Sol.mint(), amount: 700_001 };
    root.publish(site.world(), 2, LicenceTerms { absolute: true, price: Some(price), most_children: 3, ..terms(500) });
    let middle = Building::begin(site.world(), "middle of drafts", &[(root.pool, TENTH)]);
    let paying = middle.paid_parent(site.world(), &root, 2, Money::Sol.currency()).instruction();
    site.world().accept(&[paying], &[&middle.creator]);
    let middle = middle.seal(site.world());
    middle.publish(site.world(), 1, terms(1_000));

    let holders = [(root.pool, TENTH), (middle.pool, TENTH)];
    for (what, parents) in [("unbegun", 0), ("empty", 1), ("derived", 2), ("whole", 3)] {
        drafted(site, what, parents, &holders, &root, &middle);
    }
    next_version(site, &root, &middle);
}

/// `steps` of a draft are done; the calls that could be next are in the table.
fn drafted(
    site: &mut Site,
    what: &str,
    steps: u8,
    holders: &[(anchor_lang::prelude::Address, u64)],
    root: &Registered,
    middle: &Registered,
) {
    let building = Building::prepare(site.world(), &format!("draft {what}"), holders);
    site.calls.add("registry.begin_asset", what, building.beginning());
    if steps == 0 {
        return;
    }
    site.world().accept(&[building.beginning()], &[&building.creator, &building.mint]);
    let paying = building.paid_parent(site.world(), root, 2, Money::Sol.currency()).instruction();
    site.calls.add("registry.add_parent", &format!("{what} paid"), paying);
    if steps > 1 {
        building.add(site.world(), middle);
        let inherit = building.inheriting(site.world(), middle, 1);
        site.calls.add("registry.inherit", what, inherit);
    }
    if steps > 2 {
        building.inherit_all(site.world());
    }
    let adding = building.parent(site.world(), middle, 1).instruction();
    site.calls.add("registry.add_parent", what, adding);
    site.calls.add("registry.seal_asset", what, building.new.sealing());
    let abandoning = building.abandoning(site.world(), &building.creator.pubkey());
    site.calls.add("registry.abandon_asset", what, abandoning);
    let mallory = site.mallory.pubkey();
    let by_mallory = building.abandoning(site.world(), &mallory);
    site.calls.add("registry.abandon_asset", &format!("{what} by mallory"), by_mallory);
    site.more.push(building.asset());
}

fn next_version(site: &mut Site, root: &Registered, middle: &Registered) {
    let asset = crate::registry::model(site.world(), "model with later parents", &[]);
    let holder = asset.creator.pubkey();
    for parent in [root, middle] {
        let funding = provena_royalty::client::transfer_shares(&holder, &parent.pool, &asset.pool, TENTH);
        site.world().accept(&[funding], &[&asset.creator]);
    }
    let adding = later_parent(site.world(), &asset, root).instruction();
    site.calls.add("registry.add_parent", "version", adding);
    // This one passes the root on, which is refused.
    let passing = later_parent(site.world(), &asset, middle).instruction();
    site.calls.add("registry.add_parent", "version passing", passing);
    let licence = client::retire_licence(&root.creator.pubkey(), &root.mint.pubkey(), &root.nft(), 2);
    site.calls.add("registry.retire_licence", "root of drafts", licence);
}
