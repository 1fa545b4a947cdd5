//! A world with everything in it: assets with their pools, offers, nodes, jobs in every stage, and somebody, mallory, who
//! has one of everything, so that what is hers can stand in for what is another's.

use anchor_lang::prelude::Address;
use provena_common::token::TOKEN_PROGRAM;
use provena_market::client;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Calls, Stage, assets, drafts, jobs, node, pools};
use crate::{
    World,
    market::{self, PROTOCOL_BPS, STAKE, Scene, quorum, terms},
    registry::{self, Registered},
    tokens::{Extension, Money, TransferFee, put_mint},
    world::keypair,
};

/// What the mint "yen" takes of each transfer.
const FEE: TransferFee = TransferFee { bps: 100, most: 1_000_000 };
/// What each wallet has of each token.
const RICH: u64 = 1_000_000_000_000;
/// Mints whose assets are still to be made; they sign for their pools and registrations.
pub(super) const MINTS: [&str; 4] = ["mint a", "mint b", "mint c", "mint d"];

/// What is built.
pub(super) struct Site {
    /// Offer 0 is priced in dollars and has one seat; node 6 is mallory.
    pub scene: Scene,
    pub mallory: Keypair,
    pub alice: Keypair,
    pub bob: Keypair,
    pub carol: Keypair,
    /// SOL, dollar, euro and yen, by name.
    pub money: [(&'static str, Money); 4],
    /// Mallory's model.
    pub hers: Registered,
    pub calls: Calls,
    /// Accounts that no valid call names.
    pub more: Vec<Address>,
}

impl Site {
    pub(crate) fn world(&mut self) -> &mut World {
        &mut self.scene.world
    }

    /// The wallets whose claims are looked at.
    fn wallets(&mut self) -> Vec<Keypair> {
        let names = ["payer", "trainer", "curator", "mallory", "alice", "bob", "carol", "treasury", "pool creator"];
        let authorities = ["royalty authority", "registry authority", "market authority", "heir", "depositor"];
        let nodes = ["node 0", "node 1", "node 2", "node 3", "node 4", "node 5"];
        let all = names.iter().chain(&authorities).chain(&nodes);
        all.map(|name| self.world().wallet(name)).collect()
    }
}

pub(super) fn build() -> Stage {
    let mut site = ground();
    let old = jobs::old(&mut site);
    assets::build(&mut site);
    drafts::build(&mut site);
    pools::build(&mut site);
    node::build(&mut site);
    jobs::build(&mut site, old);
    let wallets = site.wallets();
    let Site { scene, calls, more, .. } = site;
    Stage::new(scene.world, wallets, &MINTS, calls.0, more)
}

/// Settings, money, the two models and their offers, and nodes.
fn ground() -> Site {
    let mut world = World::new();
    world.svm = world.svm.with_sigverify(false);
    let dollar = Money::token(&mut world, "dollar");
    let euro = Money::token_2022(&mut world, "euro", &[]);
    let yen = Money::token_2022(&mut world, "yen", &[Extension::TransferFee(FEE)]);
    for name in ["crown", "krone"] {
        put_mint(&mut world, &keypair(name).pubkey(), &TOKEN_PROGRAM, 2);
    }
    let mut scene = Scene::with_money(world, dollar, terms());
    let authority = scene.world.wallet("royalty authority");
    for mint in [euro.mint(), yen.mint(), keypair("crown").pubkey()] {
        let allow = provena_royalty::client::allow_mint(&authority.pubkey(), &mint);
        scene.world.accept(&[allow], &[&authority]);
    }
    let [mallory, alice, bob, carol] = ["mallory", "alice", "bob", "carol"].map(|name| scene.world.wallet(name));
    market::register(&mut scene.world, &mallory, STAKE);
    scene.nodes.push(mallory.insecure_clone());
    // For more bonds than tests of one job need.
    for node in &scene.nodes {
        scene.world.accept(&[client::add_stake(node.pubkey(), 20_000_000_000)], &[node]);
    }
    let hers = model_of(&mut scene.world, "mallory", "mallory's model");
    let money = [("sol", Money::Sol), ("dollar", dollar), ("euro", euro), ("yen", yen)];
    let rich = ["payer", "trainer", "curator", "mallory", "alice", "bob", "treasury", "node 0", "node 1", "depositor"];
    for (_, money) in money.iter().skip(1) {
        for name in rich {
            let wallet = scene.world.wallet(name).pubkey();
            money.give(&mut scene.world, &wallet, RICH);
        }
    }
    for model in [&scene.model, &hers] {
        let books = if model.mint.pubkey() == scene.model.mint.pubkey() { &money[2..] } else { &money[1..] };
        for (_, money) in books {
            market::open_books(&mut scene.world, model, *money);
        }
        for (_, money) in money {
            let (payer, asset) = (model.creator.pubkey(), model.mint.pubkey());
            let inbox = provena_royalty::client::open_inbox(&payer, &asset, money.currency(), 0);
            scene.world.accept(&[inbox], &[&model.creator]);
        }
    }
    for (_, money) in money {
        let open = client::open_treasury_inbox(scene.payer.pubkey(), money.currency(), 0);
        scene.world.accept(&[open], &[&scene.payer]);
    }
    let mut site = Site { scene, mallory, alice, bob, carol, money, hers, calls: Calls::default(), more: Vec::new() };
    offers(&mut site);
    site
}

/// Offers 1 to 4 of the model, and offer 0 of mallory's.
fn offers(site: &mut Site) {
    let [(_, sol), (_, dollar), (_, euro), (_, yen)] = site.money;
    for (id, money, terms) in [(1, sol, quorum(3, 2)), (2, euro, quorum(2, 2)), (3, yen, terms()), (4, sol, terms())] {
        let of = client::OfferOf { mint: money.mint(), ..site.scene.offer_of(id) };
        let (holder, nft) = (site.scene.model.creator.pubkey(), site.scene.model.nft());
        let create = client::create_offer(holder, nft, of, terms);
        site.scene.world.accept(&[create], &[&site.scene.model.creator]);
    }
    let of = client::OfferOf { asset: site.hers.mint.pubkey(), version: 1, mint: dollar.mint(), offer_id: 0 };
    let create = client::create_offer(site.mallory.pubkey(), site.hers.nft(), of, terms());
    site.scene.world.accept(&[create], &[&site.mallory]);
}

/// A model without parents, registered by a wallet.
fn model_of(world: &mut World, creator: &str, mint: &str) -> Registered {
    let (creator, mint) = registry::prepare(world, creator, mint, &[]);
    let draft = registry::draft(provena_registry::state::AssetKind::Model, &creator, &mint);
    let registered = registry::register(world, &draft, creator, mint);
    registered.publish(world, 1, registry::terms(1_000));
    registered
}

/// The highest protocol fee that payers agree to.
pub(super) const MOST_PROTOCOL: u16 = PROTOCOL_BPS;
