//! What the registry's instructions cost.

use provena_registry::{
    client,
    state::{AssetKind, Floor},
};
use provena_tests::{
    Calls,
    compute_units::Report,
    registry::{PERCENT, RECIPE, claim, content, dataset, draft, model, prepare, terms, world},
    world::{World, keypair},
};
use solana_signer::Signer;

mod drafts;

/// Compute units of our own programs that a registration with two parents may cost.
const MOST_FOR_TWO_PARENTS: u64 = 25_000;
/// With four parents, in all its instructions.
const MOST_FOR_FOUR_PARENTS: u64 = 40_000;
/// A grant, its price included.
const MOST_FOR_A_GRANT: u64 = 6_000;

/// Calls every instruction.
pub(crate) fn calls(calls: &mut dyn Calls) {
    admin(calls);
    registrations(calls);
    drafts::calls(calls);
    rights(calls);
}

#[test]
fn a_registration_with_two_parents_costs_at_most_25_000_of_ours() {
    let mut report = Report::default();
    calls(&mut report);
    println!("{}", report.to_markdown());
    let cost = report.cost("registry.register_model.two_parents");
    assert!(cost.ours <= MOST_FOR_TWO_PARENTS, "{cost:?}");
}

/// In one step, and in all the steps of a draft; a grant with its price and a step of inheritance.
#[test]
fn lineage_costs_what_was_promised() {
    let mut report = Report::default();
    drafts::calls(&mut report);
    println!("{}", report.to_markdown());
    let ours = |name: &str| report.cost(&format!("registry.{name}")).ours;
    let adding = ["add_parent", "add_parent.consent", "add_parent.sol", "add_parent.token"].map(ours);
    let steps = ours("begin_asset") + 4 * ours("add_parent") + ours("seal_asset");
    println!("four parents: {} at once, {steps} in steps", ours("register_model.four_parents"));
    assert!(ours("register_model.four_parents") <= MOST_FOR_FOUR_PARENTS);
    assert!(steps <= MOST_FOR_FOUR_PARENTS, "{steps}");
    assert!(adding.iter().all(|grant| *grant <= MOST_FOR_A_GRANT), "{adding:?}");
}

fn admin(calls: &mut dyn Calls) {
    let mut world = World::new();
    let (authority, heir) = (world.wallet("registry authority"), world.wallet("heir"));
    let (address, next) = (authority.pubkey(), heir.pubkey());
    calls.call("registry.initialize_admin", &mut world, &[client::initialize_admin(&address)], &[&authority]);
    calls.call("registry.propose_authority", &mut world, &[client::propose_authority(&address, next)], &[&authority]);
    calls.call("registry.cancel_authority", &mut world, &[client::cancel_authority(&address)], &[&authority]);
    calls.call("registry.set_pause", &mut world, &[client::set_pause(&address, 0)], &[&authority]);
    world.accept(&[client::propose_authority(&address, next)], &[&authority]);
    world.pass_slots(432_000);
    calls.call("registry.accept_authority", &mut world, &[client::accept_authority(&next)], &[&heir]);
}

fn registrations(calls: &mut dyn Calls) {
    let mut world = world();
    let (creator, mint) = prepare(&mut world, "curator", "digits", &[]);
    let registering = draft(AssetKind::Dataset, &creator, &mint);
    let content = registering.content;
    let claiming = client::claim_content(&creator.pubkey(), &content.root, &content.salt);
    calls.call("registry.claim_content", &mut world, &[claiming], &[&creator]);
    world.pass_slots(8);
    calls.call("registry.register_dataset", &mut world, &[registering.instruction()], &[&creator, &mint]);
    let metadata = provena_registry::pda::metadata(&mint.pubkey()).0;
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    calls.call("royalty.verify_creator", &mut world, &[provena_royalty::client::verify_creator(&pool, &metadata)], &[]);

    let (creator, mint) = prepare(&mut world, "trainer", "plain model", &[]);
    let registering = draft(AssetKind::Model, &creator, &mint);
    claim(&mut world, &creator, &registering.content);
    calls.call("registry.register_model", &mut world, &[registering.instruction()], &[&creator, &mint]);

    let parents = [dataset(&mut world, "digits 2", &[]), dataset(&mut world, "digits 3", &[])];
    let holders: Vec<_> = parents.iter().map(|parent| (parent.pool, 20 * PERCENT)).collect();
    let (creator, mint) = prepare(&mut world, "trainer", "derived model", &holders);
    let mut registering = draft(AssetKind::Model, &creator, &mint);
    registering.parents = parents.iter().map(|parent| parent.as_parent(1)).collect();
    claim(&mut world, &creator, &registering.content);
    calls.call("registry.register_model.two_parents", &mut world, &[registering.instruction()], &[&creator, &mint]);
}

fn rights(calls: &mut dyn Calls) {
    let mut world = world();
    let model = model(&mut world, "classifier", &[]);
    let (holder, mint, nft) = (model.creator.pubkey(), model.mint.pubkey(), model.nft());
    let second = content("classifier 2");
    claim(&mut world, &model.creator, &second);
    let floor = Some(Floor { mint: keypair("dollar").pubkey(), per_unit: 1 });
    let more = Some(Floor { mint: keypair("dollar").pubkey(), per_unit: 2 });
    let all = [
        ("add_version", client::add_version(&holder, &mint, &nft, 2, second, Some(RECIPE))),
        ("set_uri", client::set_uri(&holder, &mint, &nft, "https://example.org/assets/new.json")),
        ("raise_floor", client::raise_floor(&holder, &mint, &nft, 100, None)),
        ("raise_floor.new_mint", client::raise_floor(&holder, &mint, &nft, 100, floor)),
        ("raise_floor.known_mint", client::raise_floor(&holder, &mint, &nft, 100, more)),
        ("publish_licence", client::publish_licence(&holder, &mint, &nft, 2, terms(1_000))),
        ("retire_licence", client::retire_licence(&holder, &mint, &nft, 2)),
    ];
    for (name, instruction) in all {
        calls.call(&format!("registry.{name}"), &mut world, &[instruction], &[&model.creator]);
    }
    let third = content("classifier 3");
    claim(&mut world, &model.creator, &third);
    let hash = provena_registry::content_claim::claim_hash(&holder, &third.root, &third.salt);
    let left = provena_registry::pda::claim(&hash).0;
    calls.call(
        "registry.abandon_claim",
        &mut world,
        &[client::abandon_claim(&holder, &left, &holder)],
        &[&model.creator],
    );
}
