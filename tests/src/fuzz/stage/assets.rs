//! Assets that build on each other, and what can be called in the registry.

use provena_registry::{
    client::{self, NewAsset},
    pda,
    state::{AssetKind, Floor},
};
use solana_instruction::Instruction;
use solana_signer::Signer;

use super::populated::Site;
use crate::{
    registry::{self, PERCENT, RECIPE, Registered, content, terms},
    royalty::donate,
    tokens::Money,
    world::keypair,
};

pub(super) fn build(site: &mut Site) {
    let dataset = registry::dataset(site.world(), "dataset", &[]);
    let child = registry::model(site.world(), "child", &[(&dataset, 2_000)]);
    let [_, (_, dollar), ..] = site.money;
    for asset in [&dataset, &child] {
        crate::market::open_books(site.world(), asset, dollar);
    }
    sweeps(site, &dataset, &child);
    registrations(site, &dataset);
    versions(site);
    for asset in [("model", registered(&site.scene.model)), ("hers", registered(&site.hers)), ("child", child)] {
        of_asset(site, asset.0, &asset.1);
    }
    of_asset(site, "dataset", &dataset);
    settings(site);
}

fn registered(asset: &Registered) -> Registered {
    Registered {
        asset: asset.asset,
        mint: asset.mint.insecure_clone(),
        pool: asset.pool,
        creator: asset.creator.insecure_clone(),
    }
}

/// Revenue of the child's pool that the dataset's pool has a part in.
fn sweeps(site: &mut Site, dataset: &Registered, child: &Registered) {
    let depositor = site.world().wallet("depositor");
    for (what, money) in [site.money[0], site.money[1]] {
        let deposit = provena_royalty::client::deposit(&depositor.pubkey(), &child.pool, money.currency(), 10_000_019);
        site.world().accept(&[deposit], &[&depositor]);
        let sweep = provena_royalty::client::sweep(&child.pool, &dataset.pool, money.currency());
        site.calls.add("royalty.sweep", what, sweep);
        let (who, pool) = (child.creator.pubkey(), child.pool);
        site.calls.add("royalty.claim", &format!("child {what}"), claim(&who, &pool, money));
        let many = provena_royalty::client::claim_many(&who, &[pool, site.scene.model.pool], money.currency(), false);
        site.calls.add("royalty.claim_many", what, many);
        let sync = provena_royalty::client::sync(&dataset.pool, money.currency(), &[]);
        site.calls.add("royalty.sync", &format!("dataset {what}"), sync);
    }
    let verify = provena_royalty::client::verify_creator(&child.pool, &pda::metadata(&child.mint.pubkey()).0);
    site.calls.add("royalty.verify_creator", "child", verify);
    // Resale royalties, which marketplaces pay to the pool.
    donate(site.world(), Money::Sol, &child.pool, 1_000_033);
    let dollar = site.money[1].1;
    dollar.give(site.world(), &child.pool, 2_000_029);
    for (what, money) in [site.money[0], site.money[1]] {
        let collect = provena_royalty::client::collect(&child.pool, money.currency());
        site.calls.add("royalty.collect", &format!("child {what}"), collect);
    }
}

fn claim(holder: &anchor_lang::prelude::Address, pool: &anchor_lang::prelude::Address, money: Money) -> Instruction {
    provena_royalty::client::claim(holder, pool, money.currency())
}

/// Registrations that are ready: their pools are sealed and their content is claimed.
fn registrations(site: &mut Site, dataset: &Registered) {
    let share = [(dataset.pool, 10 * PERCENT)];
    let kinds = [
        ("dataset", "curator", "mint a", AssetKind::Dataset, &[][..]),
        ("model", "trainer", "mint b", AssetKind::Model, &share),
        ("hers", "mallory", "mint c", AssetKind::Model, &share),
    ];
    for (what, creator, mint, kind, holders) in kinds {
        let (creator, mint) = registry::prepare(site.world(), creator, mint, holders);
        let mut draft: NewAsset = registry::draft(kind, &creator, &mint);
        if !holders.is_empty() {
            draft.parents = vec![dataset.as_parent(1)];
        }
        registry::claim(site.world(), &creator, &draft.content);
        let name = if kind == AssetKind::Model { "registry.register_model" } else { "registry.register_dataset" };
        site.calls.add(name, what, draft.instruction());
    }
}

/// Versions whose content is claimed, claims that can be abandoned, and claims that can be made.
fn versions(site: &mut Site) {
    let model = registered(&site.scene.model);
    let hers = registered(&site.hers);
    for (what, asset) in [("model", model), ("hers", hers)] {
        let content_of = content(&format!("version 2 of {what}"));
        registry::claim(site.world(), &asset.creator, &content_of);
        let (holder, mint) = (asset.creator.pubkey(), asset.mint.pubkey());
        let add = client::add_version(&holder, &mint, &asset.nft(), 2, content_of, Some(RECIPE));
        site.calls.add("registry.add_version", what, add);
        let hash = provena_registry::content_claim::claim_hash(&holder, &content_of.root, &content_of.salt);
        let claim = pda::claim(&hash).0;
        site.calls.add("registry.abandon_claim", what, client::abandon_claim(&holder, &claim, &holder));
        let stranger = keypair("alice").pubkey();
        let by_stranger = client::abandon_claim(&stranger, &claim, &holder);
        site.calls.add("registry.abandon_claim", &format!("{what} by alice"), by_stranger);
    }
    for (what, claimant) in [("alice", site.alice.pubkey()), ("mallory", site.mallory.pubkey())] {
        let fresh = content("something new");
        let claim = client::claim_content(&claimant, &fresh.root, &fresh.salt);
        site.calls.add("registry.claim_content", what, claim);
    }
}

/// What an asset's holder can do.
fn of_asset(site: &mut Site, what: &str, asset: &Registered) {
    let (holder, mint, nft) = (asset.creator.pubkey(), asset.mint.pubkey(), asset.nft());
    let dollar = site.money[1].1.mint();
    let calls = &mut site.calls;
    calls.add("registry.publish_licence", what, asset.publishing(2, terms(500)));
    calls.add("registry.retire_licence", what, client::retire_licence(&holder, &mint, &nft, 1));
    calls.add("registry.set_uri", what, client::set_uri(&holder, &mint, &nft, "https://example.org/new.json"));
    let floor = Some(Floor { mint: dollar, per_unit: 1_000 });
    calls.add("registry.raise_floor", what, client::raise_floor(&holder, &mint, &nft, 100, floor));
    calls.add("registry.raise_floor", &format!("{what} bps"), client::raise_floor(&holder, &mint, &nft, 200, None));
    site.more.extend([asset.asset, asset.pool, pda::metadata(&mint).0, pda::master_edition(&mint).0, mint]);
    site.more.extend([pda::version(&asset.asset, 1).0, pda::licence(&asset.asset, 1).0]);
    site.more.push(pda::lineage(&asset.asset).0);
}

fn settings(site: &mut Site) {
    let (authority, heir) = (keypair("registry authority").pubkey(), keypair("heir").pubkey());
    let calls = &mut site.calls;
    calls.add("registry.propose_authority", "", client::propose_authority(&authority, heir));
    calls.add("registry.accept_authority", "", client::accept_authority(&heir));
    calls.add("registry.cancel_authority", "", client::cancel_authority(&authority));
    calls.add("registry.set_pause", "all", client::set_pause(&authority, 1));
}
