//! What the registry's instructions cost.

use provena_registry::{
    client,
    state::{AssetKind, Floor},
};
use provena_tests::{
    compute_units::Report,
    registry::{PERCENT, RECIPE, claim, content, dataset, draft, model, prepare, terms, world},
    world::{World, keypair},
};
use solana_signer::Signer;

/// Compute units of our own programs that a registration with two parents may cost.
const MOST_FOR_TWO_PARENTS: u64 = 25_000;

/// Measures every instruction.
pub fn record(report: &mut Report) {
    record_admin(report);
    record_registrations(report);
    record_rights(report);
}

#[test]
fn a_registration_with_two_parents_costs_at_most_25_000_of_ours() {
    let mut report = Report::default();
    record(&mut report);
    println!("{}", report.to_markdown());
    let cost = report.cost("registry.register_model.two_parents");
    assert!(cost.ours <= MOST_FOR_TWO_PARENTS, "{cost:?}");
}

fn record_admin(report: &mut Report) {
    let mut world = World::new();
    let (authority, heir) = (world.wallet("registry authority"), world.wallet("heir"));
    let (address, next) = (authority.pubkey(), heir.pubkey());
    let cost = world.measure(&[client::initialize_admin(&address)], &[&authority]);
    report.record("registry.initialize_admin", cost);
    let cost = world.measure(&[client::propose_authority(&address, next)], &[&authority]);
    report.record("registry.propose_authority", cost);
    let cost = world.measure(&[client::cancel_authority(&address)], &[&authority]);
    report.record("registry.cancel_authority", cost);
    let cost = world.measure(&[client::set_pause(&address, 0)], &[&authority]);
    report.record("registry.set_pause", cost);
    world.accept(&[client::propose_authority(&address, next)], &[&authority]);
    world.pass_slots(432_000);
    let cost = world.measure(&[client::accept_authority(&next)], &[&heir]);
    report.record("registry.accept_authority", cost);
}

fn record_registrations(report: &mut Report) {
    let mut world = world();
    let (creator, mint) = prepare(&mut world, "curator", "digits", &[]);
    let registering = draft(AssetKind::Dataset, &creator, &mint);
    let content = registering.content;
    let claiming = client::claim_content(&creator.pubkey(), &content.root, &content.salt);
    report.record("registry.claim_content", world.measure(&[claiming], &[&creator]));
    world.pass_slots(8);
    report.record("registry.register_dataset", world.measure(&[registering.instruction()], &[&creator, &mint]));
    let metadata = provena_registry::pda::metadata(&mint.pubkey()).0;
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    let cost = world.measure(&[provena_royalty::client::verify_creator(&pool, &metadata)], &[]);
    report.record("royalty.verify_creator", cost);

    let (creator, mint) = prepare(&mut world, "trainer", "plain model", &[]);
    let registering = draft(AssetKind::Model, &creator, &mint);
    claim(&mut world, &creator, &registering.content);
    report.record("registry.register_model", world.measure(&[registering.instruction()], &[&creator, &mint]));

    let parents = [dataset(&mut world, "digits 2", &[]), dataset(&mut world, "digits 3", &[])];
    let holders: Vec<_> = parents.iter().map(|parent| (parent.pool, 20 * PERCENT)).collect();
    let (creator, mint) = prepare(&mut world, "trainer", "derived model", &holders);
    let mut registering = draft(AssetKind::Model, &creator, &mint);
    registering.parents = parents.iter().map(|parent| parent.as_parent(1)).collect();
    claim(&mut world, &creator, &registering.content);
    let cost = world.measure(&[registering.instruction()], &[&creator, &mint]);
    report.record("registry.register_model.two_parents", cost);
}

fn record_rights(report: &mut Report) {
    let mut world = world();
    let model = model(&mut world, "classifier", &[]);
    let (holder, mint, nft) = (model.creator.pubkey(), model.mint.pubkey(), model.nft());
    let second = content("classifier 2");
    claim(&mut world, &model.creator, &second);
    let floor = Some(Floor { mint: keypair("dollar").pubkey(), per_unit: 1 });
    let more = Some(Floor { mint: keypair("dollar").pubkey(), per_unit: 2 });
    let rights = [
        ("add_version", client::add_version(&holder, &mint, &nft, 2, second, Some(RECIPE))),
        ("set_uri", client::set_uri(&holder, &mint, &nft, "https://example.org/assets/new.json")),
        ("raise_floor", client::raise_floor(&holder, &mint, &nft, 100, None)),
        ("raise_floor.new_mint", client::raise_floor(&holder, &mint, &nft, 100, floor)),
        ("raise_floor.known_mint", client::raise_floor(&holder, &mint, &nft, 100, more)),
        ("publish_licence", client::publish_licence(&holder, &mint, &nft, 2, terms(1_000))),
        ("retire_licence", client::retire_licence(&holder, &mint, &nft, 2)),
    ];
    for (name, instruction) in rights {
        report.record(&format!("registry.{name}"), world.measure(&[instruction], &[&model.creator]));
    }
    let third = content("classifier 3");
    claim(&mut world, &model.creator, &third);
    let hash = provena_registry::content_claim::claim_hash(&holder, &third.root, &third.salt);
    let left = provena_registry::pda::claim(&hash).0;
    let cost = world.measure(&[client::abandon_claim(&holder, &left, &holder)], &[&model.creator]);
    report.record("registry.abandon_claim", cost);
}
