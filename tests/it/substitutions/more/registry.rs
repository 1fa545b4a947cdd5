//! More calls of the registry.

use provena_registry::{client, content_claim::claim_hash, pda, state::AssetKind};
use provena_tests::{
    Calls, World,
    registry::{PERCENT, RECIPE, claim, content, dataset, draft, model, prepare, terms, world},
};
use solana_signer::Signer;

pub(crate) fn calls(calls: &mut dyn Calls) {
    upgradeable(calls);
    consent(calls);
    derived_dataset(calls);
    two_assets(calls);
    lapsed(calls);
}

/// Settings of a program that somebody can upgrade.
fn upgradeable(calls: &mut dyn Calls) {
    let mut world = World::new();
    let authority = world.wallet("registry authority");
    world.set_upgrade_authority(&provena_registry::ID, &authority.pubkey());
    let initialize = client::initialize_admin(&authority.pubkey());
    calls.call("registry.initialize_admin.upgradeable", &mut world, &[initialize], &[&authority]);
}

/// A derivative under a licence for which the parent's holder must sign.
fn consent(calls: &mut dyn Calls) {
    let mut world = world();
    let parent = dataset(&mut world, "digits", &[]);
    let mut asking = terms(1_000);
    asking.consent = true;
    parent.publish(&mut world, 2, asking);
    let (creator, mint) = prepare(&mut world, "trainer", "classifier", &[(parent.pool, 20 * PERCENT)]);
    let mut registering = draft(AssetKind::Model, &creator, &mint);
    registering.parents = vec![parent.as_consenting_parent(2)];
    claim(&mut world, &creator, &registering.content);
    let instruction = registering.instruction();
    calls.call("registry.register_model.consent", &mut world, &[instruction], &[&creator, &mint, &parent.creator]);
}

/// A dataset made of another one.
fn derived_dataset(calls: &mut dyn Calls) {
    let mut world = world();
    let parent = dataset(&mut world, "digits", &[]);
    let (creator, mint) = prepare(&mut world, "curator", "clean digits", &[(parent.pool, 20 * PERCENT)]);
    let mut registering = draft(AssetKind::Dataset, &creator, &mint);
    registering.parents = vec![parent.as_parent(1)];
    claim(&mut world, &creator, &registering.content);
    calls.call("registry.register_dataset.parent", &mut world, &[registering.instruction()], &[&creator, &mint]);
}

/// Rights to one of two models of the same holder.
fn two_assets(calls: &mut dyn Calls) {
    let mut world = world();
    let [asset, other] = ["classifier", "second classifier"].map(|name| model(&mut world, name, &[]));
    let (holder, mint, nft) = (asset.creator.pubkey(), asset.mint.pubkey(), asset.nft());
    let [second, others] = ["classifier 2", "second classifier 2"].map(content);
    for content in [&second, &others] {
        claim(&mut world, &asset.creator, content);
    }
    assert_eq!(other.creator.pubkey(), holder);
    for (name, instruction) in [
        ("add_version", client::add_version(&holder, &mint, &nft, 2, second, Some(RECIPE))),
        ("set_uri", client::set_uri(&holder, &mint, &nft, "https://example.org/assets/new.json")),
        ("raise_floor", client::raise_floor(&holder, &mint, &nft, 100, None)),
        ("publish_licence", client::publish_licence(&holder, &mint, &nft, 2, terms(1_000))),
        ("retire_licence", client::retire_licence(&holder, &mint, &nft, 2)),
    ] {
        calls.call(&format!("registry.{name}.two_assets"), &mut world, &[instruction], &[&asset.creator]);
    }
}

/// A claim that nobody used in time, cleared away by a stranger.
fn lapsed(calls: &mut dyn Calls) {
    let mut world = world();
    let (claimant, anybody) = (world.wallet("claimant"), world.wallet("anybody"));
    let content = content("forgotten");
    claim(&mut world, &claimant, &content);
    world.pass_slots(216_000);
    let address = pda::claim(&claim_hash(&claimant.pubkey(), &content.root, &content.salt)).0;
    let abandon = client::abandon_claim(&anybody.pubkey(), &address, &claimant.pubkey());
    calls.call("registry.abandon_claim.lapsed", &mut world, &[abandon], &[&anybody]);
}
