//! What the royalty program's instructions cost, held against absolute limits.

use provena_royalty::{
    DEFAULT_TOTAL_SHARES, Holder,
    client::{self, Evidence},
    pda,
};
use provena_tests::{
    Calls, World,
    compute_units::Report,
    royalty::{Scene, configure, donate},
    tokens::{Extension, Money},
    world::keypair,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Totals that must never be exceeded, whatever is committed.
const LIMITS: [(&str, u64); 10] = [
    ("royalty.claim", 2_500),
    ("royalty.claim.token", 6_000),
    ("royalty.claim.classic_token", 12_000),
    ("royalty.sweep", 5_000),
    ("royalty.sweep.token", 5_000),
    ("royalty.sync", 5_000),
    ("royalty.deposit", 5_000),
    ("royalty.transfer_shares", 6_000),
    ("royalty.transfer_shares.window", 6_000),
    ("royalty.transfer_shares.new_holder", 12_000),
];

#[test]
fn costs_stay_within_their_limits() {
    let mut report = Report::default();
    record(&mut report);
    println!("{}", report.to_markdown());
    for (name, limit) in LIMITS {
        let cost = report.cost(name);
        assert!(cost.total <= limit, "{name} costs {}, more than {limit}", cost.total);
    }
}

#[test]
fn the_program_stays_small() {
    let program = provena_tests::programs::all().iter().find(|program| program.id == provena_royalty::ID);
    let len = program.expect("it is loaded").bytes.len();
    assert!(len <= 300_000, "{len} bytes");
}

/// Measures every instruction.
pub(crate) fn record(report: &mut Report) {
    calls(report);
    let mut world = World::with_classic_token();
    let token = Money::token(&mut world, "dollar");
    payments(report, ".classic_token", world, token);
}

/// Calls every instruction.
pub(crate) fn calls(calls: &mut dyn Calls) {
    authority(calls);
    pools(calls);
    payments(calls, "", World::new(), Money::Sol);
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    payments(calls, ".token", world, token);
    let mut world = World::new();
    let token = Money::token_2022(&mut world, "euro", &[Extension::MetadataPointer]);
    payments(calls, ".token_2022", world, token);
    shares(calls);
}

fn authority(calls: &mut dyn Calls) {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar").mint();
    let (authority, heir) = (world.wallet("authority"), world.wallet("heir"));
    let (key, new) = (authority.pubkey(), heir.pubkey());
    for (name, instruction) in [
        ("royalty.initialize_admin", client::initialize_admin(&key)),
        ("royalty.allow_mint", client::allow_mint(&key, &token)),
        ("royalty.disallow_mint", client::disallow_mint(&key, &token)),
        ("royalty.set_pause", client::set_pause(&key, 0)),
        ("royalty.propose_authority", client::propose_authority(&key, &new)),
        ("royalty.cancel_authority", client::cancel_authority(&key)),
    ] {
        calls.call(name, &mut world, &[instruction], &[&authority]);
    }
    world.accept(&[client::propose_authority(&key, &new)], &[&authority]);
    world.pass_slots(432_000);
    calls.call("royalty.accept_authority", &mut world, &[client::accept_authority(&new)], &[&heir]);
}

fn pools(calls: &mut dyn Calls) {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    configure(&mut world, &[token]);
    let (creator, asset) = (world.wallet("creator"), keypair("asset"));
    let (key, mint) = (creator.pubkey(), asset.pubkey());
    let half = DEFAULT_TOTAL_SHARES / 2;
    let [first, rest] = ["alice", "bob"].map(|name| [Holder::new(keypair(name).pubkey(), half)]);
    let create = client::create_pool(&key, &mint, DEFAULT_TOTAL_SHARES, 0, 0, &first);
    calls.call("royalty.create_pool.one_holder", &mut world, &[create], &[&creator, &asset]);
    let pool = pda::pool(&mint).0;
    let add = client::add_holders(&key, &pool, &rest);
    calls.call("royalty.add_holders.one_holder", &mut world, &[add], &[&creator]);
    let open = client::open_books(&key, &mint, token.currency(), Evidence::Creator).expect("a token");
    calls.call("royalty.open_books", &mut world, &[open], &[&creator]);
    for (case, currency) in [("", Money::Sol.currency()), (".token", token.currency())] {
        let open = client::open_inbox(&key, &mint, currency, 0);
        calls.call(&format!("royalty.open_inbox{case}"), &mut world, &[open], &[&creator]);
        let close = client::close_inbox(&key, &pool, currency, 0);
        calls.call(&format!("royalty.close_inbox{case}"), &mut world, &[close], &[&creator]);
    }
    token.give(&mut world, &key, 0);
    let scene = Scene { pool, asset, creator, money: vec![token] };
    let positions = [&first[0], &rest[0]].map(|holder| scene.position(&world, &holder.holder));
    let books = [Money::Sol, token].map(Money::currency);
    let abandon = client::abandon_pool(&pool, &scene.state(&world), &positions, &books);
    calls.call("royalty.abandon_pool.two_holders", &mut world, &[abandon], &[&scene.creator]);
}

/// Everything that moves money, in one kind of it.
fn payments(calls: &mut dyn Calls, case: &str, mut world: World, money: Money) {
    configure(&mut world, &[money]);
    let alice = world.wallet("alice");
    let (key, currency, half) = (alice.pubkey(), money.currency(), DEFAULT_TOTAL_SHARES / 2);
    let parent = Scene::new(&mut world, "parent", &[(key, DEFAULT_TOTAL_SHARES)], &[money]);
    let child = Scene::new(&mut world, "child", &[(key, half), (parent.pool, half)], &[money]);
    money.give(&mut world, &key, 1_000_000_000);
    let inbox = child.open_inbox(&mut world, money);
    let mut measure = |name: &str, world: &mut World, instruction, signers: &[&Keypair]| {
        calls.call(&format!("royalty.{name}{case}"), world, &[instruction], signers);
    };
    measure("deposit", &mut world, client::deposit(&key, &child.pool, currency, 1_000_000), &[&alice]);
    child.donate(&mut world, money, 1_000_000);
    measure("sync", &mut world, client::sync(&child.pool, currency, &[]), &[]);
    donate(&mut world, money, &inbox, 1_000_000);
    measure("sync.one_inbox", &mut world, client::sync(&child.pool, currency, &[0]), &[]);
    money.give(&mut world, &child.pool, 1_000_000);
    measure("collect", &mut world, client::collect(&child.pool, currency), &[]);
    measure("sweep", &mut world, client::sweep(&child.pool, &parent.pool, currency), &[]);
    measure("claim", &mut world, client::claim(&key, &child.pool, currency), &[&alice]);
    child.deposit(&mut world, money, 1_000_000);
    measure("claim.by_anybody", &mut world, client::claim_for(&key, &child.pool, currency), &[]);
    for scene in [&child, &parent] {
        scene.deposit(&mut world, money, 1_000_000);
    }
    let both = client::claim_many(&key, &[child.pool, parent.pool], currency, true);
    measure("claim_many.two_pools", &mut world, both, &[&alice]);
}

/// Shares of a pool with all eight mints, without and with a window.
fn shares(calls: &mut dyn Calls) {
    for (case, window) in [("", 0), (".window", 100)] {
        let mut world = World::new();
        let tokens: Vec<_> = (0..7).map(|n| Money::token(&mut world, &format!("token {n}"))).collect();
        configure(&mut world, &tokens);
        let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
        let (key, other) = (alice.pubkey(), bob.pubkey());
        let holders = [Holder::new(key, DEFAULT_TOTAL_SHARES)];
        let terms = provena_tests::royalty::Terms { total_shares: DEFAULT_TOTAL_SHARES, window, holders: &holders };
        let scene = Scene::with_terms(&mut world, "digits", &terms, &tokens);
        let earn = |world: &mut World| {
            for money in tokens.iter().chain([&Money::Sol]) {
                scene.deposit(world, *money, 1_000_000_007);
            }
            world.pass_slots(150);
        };
        earn(&mut world);
        let mut measure = |name: &str, world: &mut World, instruction| {
            calls.call(&format!("royalty.{name}{case}"), world, &[instruction], &[&alice]);
        };
        let give = || client::transfer_shares(&key, &other, &scene.pool, 1_001);
        measure("transfer_shares.new_holder", &mut world, give());
        // Nothing has come in since: the cheapest case, and the one that was measured before there were eight mints.
        measure("transfer_shares.settled", &mut world, give());
        earn(&mut world);
        measure("transfer_shares", &mut world, give());
        measure("approve", &mut world, client::approve(&key, &scene.pool, &other, 5));
        measure("revoke", &mut world, client::revoke(&key, &scene.pool));
        if window == 0 {
            let carol = keypair("carol").pubkey();
            let back = client::transfer_shares(&key, &carol, &scene.pool, 7);
            let approve = client::approve(&key, &scene.pool, &other, 5);
            world.accept(&[back, approve], &[&alice]);
            let by_delegate = client::transfer_shares_by(&other, &key, &carol, &scene.pool, 3);
            calls.call("royalty.transfer_shares.by_delegate", &mut world, &[by_delegate], &[&bob]);
            close_one(calls, &mut world, &scene, &alice);
        }
    }
}

/// A position that never earned anything.
fn close_one(calls: &mut dyn Calls, world: &mut World, scene: &Scene, alice: &Keypair) {
    let dave = world.wallet("dave");
    let steps = [
        client::transfer_shares(&alice.pubkey(), &dave.pubkey(), &scene.pool, 7),
        client::transfer_shares(&dave.pubkey(), &alice.pubkey(), &scene.pool, 7),
    ];
    world.accept(&steps, &[alice, &dave]);
    let close = client::close_position(&dave.pubkey(), &dave.pubkey(), &alice.pubkey(), &scene.pool);
    calls.call("royalty.close_position", world, &[close], &[&dave]);
}
