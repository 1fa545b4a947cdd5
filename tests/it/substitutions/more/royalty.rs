//! More calls of the royalty program.

use provena_royalty::{
    DEFAULT_TOTAL_SHARES,
    client::{self, Evidence},
};
use provena_tests::{
    Calls, World,
    royalty::{Scene, configure, donate},
    tokens::Money,
    world::keypair,
};
use solana_signer::Signer;

const HALF: u64 = DEFAULT_TOTAL_SHARES / 2;

pub(crate) fn calls(calls: &mut dyn Calls) {
    upgradeable(calls);
    rights(calls);
    destinations(calls);
    rent_payers(calls);
    two_pools(calls);
}

/// Settings of a program that somebody can upgrade.
fn upgradeable(calls: &mut dyn Calls) {
    let mut world = World::new();
    let authority = world.wallet("authority");
    world.set_upgrade_authority(&provena_royalty::ID, &authority.pubkey());
    let initialize = client::initialize_admin(&authority.pubkey());
    calls.call("royalty.initialize_admin.upgradeable", &mut world, &[initialize], &[&authority]);
}

/// The other rights to open books, and an inbox by anybody.
fn rights(calls: &mut dyn Calls) {
    let mut world = World::new();
    let money = ["dollar", "euro", "yen"].map(|name| Money::token(&mut world, name));
    configure(&mut world, &money);
    let (alice, anybody) = (world.wallet("alice"), world.wallet("anybody"));
    let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), DEFAULT_TOTAL_SHARES)], &[]);
    let nft = scene.mint_nft(&mut world, &alice.pubkey());
    let [dollar, euro, yen] = money;
    euro.give(&mut world, &scene.pool, 1_000);
    // Of which somebody else holds a part, too, whose position is no evidence.
    let child = Scene::new(&mut world, "child", &[(scene.pool, HALF), (alice.pubkey(), HALF)], &[yen]);
    child.deposit(&mut world, yen, 1_000);
    let asset = scene.asset.pubkey();
    for (case, payer, money, evidence) in [
        ("nft", &alice, dollar, Evidence::Nft(nft)),
        ("tokens", &anybody, euro, Evidence::Tokens(euro.account_of(&scene.pool))),
        ("child", &anybody, yen, Evidence::Child(child.pool)),
    ] {
        let open = client::open_books(&payer.pubkey(), &asset, money.currency(), evidence).expect("a token");
        calls.call(&format!("royalty.open_books.{case}"), &mut world, &[open], &[payer]);
    }
    let open = client::open_inbox(&anybody.pubkey(), &asset, dollar.currency(), 0);
    calls.call("royalty.open_inbox.by_anybody", &mut world, &[open], &[&anybody]);
}

/// Claims to where the holder says, who signs.
fn destinations(calls: &mut dyn Calls) {
    for case in ["", ".token"] {
        let mut world = World::new();
        let money = if case.is_empty() { Money::Sol } else { Money::token(&mut world, "dollar") };
        configure(&mut world, &[money]);
        let (alice, friend) = (world.wallet("alice"), world.wallet("friend").pubkey());
        let scene = Scene::new(&mut world, "digits", &[(alice.pubkey(), DEFAULT_TOTAL_SHARES)], &[money]);
        money.give(&mut world, &friend, 0);
        scene.deposit(&mut world, money, 1_000);
        let (key, currency) = (alice.pubkey(), money.currency());
        let claim = client::claim_to(&key, &scene.pool, currency, &money.account_of(&friend));
        calls.call(&format!("royalty.claim.to_a_friend{case}"), &mut world, &[claim], &[&alice]);
        scene.deposit(&mut world, money, 1_000);
        let mut claim = client::claim_many(&key, &[scene.pool], currency, true);
        claim.accounts[1].pubkey = money.account_of(&friend);
        calls.call(&format!("royalty.claim_many.to_a_friend{case}"), &mut world, &[claim], &[&alice]);
    }
}

/// Positions whose rent somebody else paid.
fn rent_payers(calls: &mut dyn Calls) {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    configure(&mut world, &[token]);
    let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
    let (key, carol) = (alice.pubkey(), keypair("carol").pubkey());
    let shares = [(key, HALF), (bob.pubkey(), HALF)];
    let scene = Scene::new(&mut world, "digits", &shares, &[token]);
    let give = |from: &solana_keypair::Keypair, to| client::transfer_shares(&from.pubkey(), to, &scene.pool, 7);
    let dave = world.wallet("dave");
    world.accept(&[give(&alice, &carol), give(&alice, &dave.pubkey()), give(&dave, &key)], &[&alice, &dave]);
    let close = client::close_position(&key, &dave.pubkey(), &key, &scene.pool);
    calls.call("royalty.close_position.by_rent_payer", &mut world, &[close], &[&alice]);
    scene.donate(&mut world, token, 1_000);
    token.give(&mut world, &scene.creator.pubkey(), 0);
    let positions = [key, bob.pubkey(), carol].map(|holder| scene.position(&world, &holder));
    let books = [Money::Sol, token].map(Money::currency);
    let abandon = client::abandon_pool(&scene.pool, &scene.state(&world), &positions, &books);
    calls.call("royalty.abandon_pool.rent_payer", &mut world, &[abandon], &[&scene.creator]);
}

/// Shares of one of two pools with the same creator, holders and money.
fn two_pools(calls: &mut dyn Calls) {
    let mut world = World::new();
    let token = Money::token(&mut world, "dollar");
    configure(&mut world, &[token]);
    let (alice, bob) = (world.wallet("alice"), world.wallet("bob"));
    let (key, other) = (alice.pubkey(), bob.pubkey());
    let pools = ["digits", "letters"].map(|asset| {
        let scene = Scene::new(&mut world, asset, &[(key, HALF), (other, HALF)], &[token]);
        [Money::Sol, token].into_iter().for_each(|money| scene.deposit(&mut world, money, 1_000));
        scene
    });
    let [scene, _] = &pools;
    for money in [Money::Sol, token] {
        let first = scene.open_inbox(&mut world, money);
        scene.open_inbox(&mut world, money);
        donate(&mut world, money, &first, 1_000);
    }
    let (pool, creator) = (scene.pool, scene.creator.insecure_clone());
    calls.call(
        "royalty.transfer_shares.two_pools",
        &mut world,
        &[client::transfer_shares(&key, &other, &pool, 7)],
        &[&alice],
    );
    for (case, currency) in [("", Money::Sol.currency()), (".token", token.currency())] {
        let sync = client::sync(&pool, currency, &[0]);
        calls.call(&format!("royalty.sync.two_inboxes{case}"), &mut world, &[sync], &[]);
        let close = client::close_inbox(&creator.pubkey(), &pool, currency, 1);
        calls.call(&format!("royalty.close_inbox.two_inboxes{case}"), &mut world, &[close], &[&creator]);
    }
}
