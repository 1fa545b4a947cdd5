//! What every instruction of every program costs, held against the committed report and against absolute limits.

use std::{env, fs};

use provena_registry::state::AssetKind;
use provena_royalty::DEFAULT_TOTAL_SHARES;
use provena_tests::{
    World,
    compute_units::Report,
    programs,
    registry::{Draft, dataset, prepare},
    royalty::{self, Scene, configure},
    tokens::{Money, donate_tokens},
    world::keypair,
};
use solana_signer::Signer;

/// Totals that must never be exceeded, whatever is committed.
const LIMITS: [(&str, u64); 13] = [
    ("market.claim_slot", 7_000),
    ("market.commit", 3_500),
    ("market.post_job", 15_000),
    ("market.post_job.token", 15_000),
    ("market.reveal", 6_000),
    ("market.settle", 20_000),
    ("market.settle.token", 20_000),
    ("registry.register_dataset", 150_000),
    ("registry.register_model", 150_000),
    ("registry.register_model.two_parents", 150_000),
    ("royalty.claim", 7_000),
    ("royalty.claim.token", 7_000),
    ("royalty.claim.classic_token", 7_000),
];

#[test]
fn compute_units_have_not_grown() {
    let mut report = Report::default();
    record_royalty(&mut report);
    record_registry(&mut report);
    crate::market::compute_units::record(&mut report);
    if env::var_os("PROVENA_WRITE_CU").is_some() {
        report.write();
    }
    for (name, limit) in LIMITS {
        let cost = report.cost(name);
        assert!(cost.total <= limit, "{name} costs {}, more than {limit}", cost.total);
    }
    let committed = Report::committed();
    let regressions = report.regressions(&committed);
    assert!(regressions.is_empty(), "costs have grown; see docs/COMPUTE_UNITS.md:\n{regressions}");
    let page = fs::read_to_string(programs::repository().join("docs/COMPUTE_UNITS.md")).expect("the page exists");
    assert_eq!(page, committed.to_markdown(), "the page is not rendered from docs/compute-units.json");
}

#[test]
fn programs_stay_small() {
    for program in programs::all().iter().filter(|program| programs::is_ours(&program.id.to_string())) {
        assert!(program.bytes.len() <= programs::MAX_PROGRAM_LEN, "{}: {} bytes", program.id, program.bytes.len());
    }
}

fn record_royalty(report: &mut Report) {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    let authority = world.wallet("royalty authority");
    let cost = world.measure(&[royalty::initialize_config(&authority.pubkey())], &[&authority]);
    report.record("royalty.initialize_config", cost);
    let cost = world.measure(&[royalty::allow_mint(&authority.pubkey(), &token.mint())], &[&authority]);
    report.record("royalty.allow_mint", cost);

    let (creator, asset) = (world.wallet("creator"), keypair("asset"));
    let half = DEFAULT_TOTAL_SHARES / 2;
    let first = [(keypair("alice").pubkey(), half)];
    let rest = [(keypair("bob").pubkey(), half)];
    let create = royalty::create_pool(&creator.pubkey(), &asset.pubkey(), DEFAULT_TOTAL_SHARES, &first);
    report.record("royalty.create_pool.one_holder", world.measure(&[create], &[&creator, &asset]));
    let pool = provena_royalty::pda::pool(&asset.pubkey()).0;
    let cost = world.measure(&[royalty::add_holders(&creator.pubkey(), &pool, &rest)], &[&creator]);
    report.record("royalty.add_holders.one_holder", cost);
    for (case, money) in [("", Money::Sol), (".token", token)] {
        let cost = world.measure(&[royalty::add_mint(&creator.pubkey(), &pool, money)], &[&creator]);
        report.record(&format!("royalty.add_mint{case}"), cost);
    }
    record_payments(report, "", World::new(), Money::Sol);
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    record_payments(report, ".token", world, token);
    let mut world = World::with_classic_token();
    let token = Money::token(&mut world, "dollar");
    record_payments(report, ".classic_token", world, token);
}

/// Everything that moves money, in one kind of it.
fn record_payments(report: &mut Report, case: &str, mut world: World, money: Money) {
    configure(&mut world, &[money]);
    let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
    let half = DEFAULT_TOTAL_SHARES / 2;
    let parent = Scene::new(&mut world, "parent", &[(alice.pubkey(), DEFAULT_TOTAL_SHARES)], &[money]);
    let holders = [(alice.pubkey(), half), (parent.pool, half)];
    let child = Scene::new(&mut world, "child", &holders, &[money]);
    let child_mint = child.pool_mint_address(money);
    money.give(&mut world, &alice.pubkey(), 1_000_000_000);

    let deposit = royalty::deposit(&alice.pubkey(), &child_mint, money, 1_000_000);
    report.record(&format!("royalty.deposit{case}"), world.measure(&[deposit], &[&alice]));
    match royalty::vault(&child_mint, money) {
        Some(vault) => donate_tokens(&mut world, &vault, 1_000_000),
        None => world.add_lamports(&child_mint, 1_000_000),
    }
    let cost = world.measure(&[royalty::sync(&child_mint, money)], &[]);
    report.record(&format!("royalty.sync{case}"), cost);
    let cost = world.measure(&[royalty::sweep(&child.pool, &parent.pool, money)], &[]);
    report.record(&format!("royalty.sweep{case}"), cost);
    let cost = world.measure(&[royalty::claim(&alice.pubkey(), &child.pool, money)], &[&alice]);
    report.record(&format!("royalty.claim{case}"), cost);
    if !money.is_token() {
        let transfer = || royalty::transfer_shares(&alice.pubkey(), &bob.pubkey(), &child.pool, 1_000, &[money]);
        report.record("royalty.transfer_shares.new_holder", world.measure(&[transfer()], &[&alice]));
        report.record("royalty.transfer_shares", world.measure(&[transfer()], &[&alice]));
    }
}

fn record_registry(report: &mut Report) {
    let mut world = World::new();
    configure(&mut world, &[]);
    let (creator, mint) = prepare(&mut world, "curator", "digits", &[], &[]);
    let draft = Draft::new(AssetKind::Dataset, &creator.pubkey(), &mint.pubkey());
    report.record("registry.register_dataset", world.measure(&[draft.instruction()], &[&creator, &mint]));
    let metadata = provena_registry::pda::metadata(&mint.pubkey()).0;
    let pool = provena_royalty::pda::pool(&mint.pubkey()).0;
    report.record("royalty.verify_creator", world.measure(&[royalty::verify_creator(&pool, &metadata)], &[]));

    let (creator, mint) = prepare(&mut world, "trainer", "plain model", &[], &[]);
    let draft = Draft::new(AssetKind::Model, &creator.pubkey(), &mint.pubkey());
    report.record("registry.register_model", world.measure(&[draft.instruction()], &[&creator, &mint]));

    let parents = [dataset(&mut world, "digits 2", &[], &[]), dataset(&mut world, "digits 3", &[], &[])];
    let holders: Vec<_> = parents.iter().map(|parent| (parent.pool, DEFAULT_TOTAL_SHARES / 5)).collect();
    let (creator, mint) = prepare(&mut world, "trainer", "derived model", &holders, &[]);
    let mut draft = Draft::new(AssetKind::Model, &creator.pubkey(), &mint.pubkey());
    for parent in &parents {
        draft = draft.with_parent(parent, 2_000);
    }
    report.record("registry.register_model.two_parents", world.measure(&[draft.instruction()], &[&creator, &mint]));
}
