//! A pool with a window whose shares change hands, a pool that is not sealed, and what can be called for pools.

use anchor_lang::prelude::Address;
use provena_royalty::{
    Holder, WRAPPABLE,
    client::{self, Evidence},
    pda,
    state::{Pool, Position},
};
use solana_signer::Signer;

use super::populated::Site;
use crate::{
    royalty::{Scene, Terms, donate, holders},
    tokens::Money,
    world::keypair,
};

/// Shares of the pool with a window.
const SHARES: u64 = 1_009;
/// Its window, in slots.
const WINDOW: u32 = 100;

pub(super) fn build(site: &mut Site) {
    let windowed = windowed(site);
    unsealed(site);
    for (what, pool) in [("windowed", windowed.pool), ("model", site.scene.model.pool)] {
        revenue(site, what, pool);
    }
    shares(site, windowed.pool);
    books(site, &windowed);
    settings(site);
}

/// Alice, bob, mallory and carol hold shares; carol gave all of hers away; bob allows carol to move some.
fn windowed(site: &mut Site) -> Scene {
    let (alice, bob, mallory) = (site.alice.pubkey(), site.bob.pubkey(), site.mallory.pubkey());
    let carol = site.carol.insecure_clone();
    let shares = [(alice, 500), (bob, 300), (mallory, 200), (carol.pubkey(), 9)];
    let terms = Terms { total_shares: SHARES, window: WINDOW, holders: &holders(&shares) };
    let money = site.money;
    let all: Vec<Money> = money.iter().map(|(_, money)| *money).collect();
    let scene = Scene::with_terms(site.world(), "windowed", &terms, &all);
    let bob_key = site.bob.insecure_clone();
    let give = client::transfer_shares(&carol.pubkey(), &alice, &scene.pool, 9);
    site.world().accept(&[give], &[&carol]);
    let approve = client::approve(&bob, &scene.pool, &carol.pubkey(), 120);
    site.world().accept(&[approve], &[&bob_key]);
    for (_, money) in money {
        scene.open_inbox(site.world(), money);
        scene.deposit(site.world(), money, 7_000_003);
    }
    site.world().pass_slots(150);
    for (_, money) in money {
        scene.deposit(site.world(), money, 5_000_011);
        scene.donate(site.world(), money, 1_001);
    }
    scene.mint_nft(site.world(), &alice);
    scene
}

/// A pool of which shares are not assigned, by mallory; another by the pool creator.
fn unsealed(site: &mut Site) {
    let (alice, bob, carol) = (site.alice.pubkey(), site.bob.pubkey(), site.carol.pubkey());
    for (what, creator) in [("hers", site.mallory.insecure_clone()), ("creator's", keypair("pool creator"))] {
        let asset = keypair(&format!("unsealed {what}"));
        let (creator_key, mint) = (creator.pubkey(), asset.pubkey());
        let named = [Holder::new(alice, 100), Holder::new(creator_key, 200)];
        let create = client::create_pool(&creator_key, &mint, 1_000, 0, 0, &named);
        site.world().wallet("pool creator");
        site.world().accept(&[create], &[&creator, &asset]);
        let address = pda::pool(&mint).0;
        let rest = [Holder::new(bob, 300), Holder::new(carol, 400)];
        site.calls.add("royalty.add_holders", what, client::add_holders(&creator_key, &address, &rest));
        let state = |address: &Address| client::decode::<Pool>(&site.scene.world.account(address).unwrap().data);
        let pool = state(&address).expect("it is a pool");
        let position = |holder: &Address| {
            let account = site.scene.world.account(&pda::position(&address, holder).0).expect("it holds shares");
            client::decode::<Position>(&account.data).expect("it is a position")
        };
        let closed = [position(&alice), position(&creator_key)];
        let sol = [Money::Sol.currency()];
        let parts = client::abandon_pool(&address, &pool, &closed[..1], &[]);
        let all = client::abandon_pool(&address, &pool, &closed, &sol);
        site.calls.add("royalty.abandon_pool", &format!("{what} a position"), parts);
        site.calls.add("royalty.abandon_pool", what, all);
        site.more.push(mint);
    }
    let mint = keypair("mint d").pubkey();
    let named = [Holder::new(alice, 1), Holder::new(carol, 999)];
    for (what, window, flags) in [("plain", 0, 0), ("windowed", 64, WRAPPABLE)] {
        let create = client::create_pool(&site.mallory.pubkey(), &mint, 1_000, window, flags, &named);
        site.calls.add("royalty.create_pool", what, create);
    }
}

/// Money in and out of a pool.
fn revenue(site: &mut Site, what: &str, pool: Address) {
    let (alice, mallory, trainer) = (site.alice.pubkey(), site.mallory.pubkey(), keypair("trainer").pubkey());
    let bob = site.bob.pubkey();
    for (name, money) in site.money {
        let currency = money.currency();
        let books = pda::books(&pool, &money.mint()).0;
        let inbox = pda::inbox(&books, 0).0;
        let at = if money.is_token() { pda::inbox_vault(&inbox).0 } else { inbox };
        donate(&mut site.scene.world, money, &at, 3_000_017);
        let what = format!("{what} {name}");
        let calls = &mut site.calls;
        calls.add("royalty.deposit", &what, client::deposit(&mallory, &pool, currency, 1_000_003));
        calls.add("royalty.deposit", &format!("{what} alice"), client::deposit(&alice, &pool, currency, 500_009));
        calls.add("royalty.sync", &what, client::sync(&pool, currency, &[0]));
        calls.add("royalty.sync", &format!("{what} vault"), client::sync(&pool, currency, &[]));
        for (who, holder) in [("alice", alice), ("bob", bob), ("mallory", mallory), ("trainer", trainer)] {
            calls.add("royalty.claim", &format!("{what} {who}"), client::claim(&holder, &pool, currency));
            let by_anybody = client::claim_for(&holder, &pool, currency);
            calls.add("royalty.claim", &format!("{what} for {who}"), by_anybody);
        }
        let to = currency.account_of(&site.carol.pubkey());
        calls.add("royalty.claim", &format!("{what} to carol"), client::claim_to(&mallory, &pool, currency, &to));
        calls.add("royalty.collect", &what, client::collect(&pool, currency));
        let many = client::claim_many(&mallory, &[pool, site.hers.pool], currency, true);
        calls.add("royalty.claim_many", &format!("{what} mallory"), many);
    }
}

/// Shares that change hands.
fn shares(site: &mut Site, pool: Address) {
    let (alice, bob, carol) = (site.alice.pubkey(), site.bob.pubkey(), site.carol.pubkey());
    let mallory = site.mallory.pubkey();
    let creator = keypair("pool creator").pubkey();
    let calls = &mut site.calls;
    calls.add("royalty.transfer_shares", "mallory to alice", client::transfer_shares(&mallory, &alice, &pool, 50));
    calls.add("royalty.transfer_shares", "mallory to all", client::transfer_shares(&mallory, &bob, &pool, 200));
    calls.add("royalty.transfer_shares", "alice to mallory", client::transfer_shares(&alice, &mallory, &pool, 9));
    let newcomer = keypair("depositor").pubkey();
    calls.add("royalty.transfer_shares", "to newcomer", client::transfer_shares(&mallory, &newcomer, &pool, 1));
    let delegate = client::transfer_shares_by(&carol, &bob, &mallory, &pool, 100);
    calls.add("royalty.transfer_shares", "by delegate", delegate);
    for (who, holder) in [("alice", alice), ("bob", bob), ("mallory", mallory)] {
        calls.add("royalty.approve", who, client::approve(&holder, &pool, &carol, 70));
        calls.add("royalty.revoke", who, client::revoke(&holder, &pool));
    }
    calls.add("royalty.close_position", "carol", client::close_position(&carol, &carol, &creator, &pool));
    calls.add("royalty.close_position", "by creator", client::close_position(&creator, &carol, &creator, &pool));
    calls.add("royalty.close_position", "mallory", client::close_position(&mallory, &mallory, &creator, &pool));
}

/// Books and inboxes that can be opened and closed.
fn books(site: &mut Site, windowed: &Scene) {
    let (alice, mallory) = (site.alice.pubkey(), site.mallory.pubkey());
    let crown = Money::Token(keypair("crown").pubkey());
    let nft = Money::Token(windowed.asset.pubkey()).account_of(&alice);
    let asset = windowed.asset.pubkey();
    let open = client::open_books(&alice, &asset, crown.currency(), Evidence::Nft(nft)).expect("it is a token");
    site.calls.add("royalty.open_books", "windowed", open);
    let evidence = Evidence::Nft(site.hers.nft());
    let hers = site.hers.mint.pubkey();
    let open = client::open_books(&mallory, &hers, crown.currency(), evidence).expect("it is a token");
    site.calls.add("royalty.open_books", "hers", open);
    let creator = windowed.creator.pubkey();
    for (what, money) in site.money {
        let currency = money.currency();
        let opened = client::open_inbox(&mallory, &hers, currency, 1);
        site.calls.add("royalty.open_inbox", &format!("hers {what}"), opened);
        site.calls.add("royalty.open_inbox", what, client::open_inbox(&alice, &asset, currency, 1));
        for (who, payer, pool, shard) in [
            ("windowed", creator, windowed.pool, 0),
            ("hers", mallory, site.hers.pool, 0),
            ("hers 1", mallory, site.hers.pool, 1),
            ("alice's", alice, windowed.pool, 1),
        ] {
            let close = client::close_inbox(&payer, &pool, currency, shard);
            site.calls.add("royalty.close_inbox", &format!("{who} {what}"), close);
        }
    }
}

fn settings(site: &mut Site) {
    let (authority, heir) = (keypair("royalty authority").pubkey(), keypair("heir").pubkey());
    let euro = site.money[2].1.mint();
    let calls = &mut site.calls;
    calls.add("royalty.propose_authority", "", client::propose_authority(&authority, &heir));
    calls.add("royalty.accept_authority", "", client::accept_authority(&heir));
    calls.add("royalty.cancel_authority", "", client::cancel_authority(&authority));
    calls.add("royalty.set_pause", "all", client::set_pause(&authority, 1));
    calls.add("royalty.allow_mint", "krone", client::allow_mint(&authority, &keypair("krone").pubkey()));
    calls.add("royalty.disallow_mint", "euro", client::disallow_mint(&authority, &euro));
}
