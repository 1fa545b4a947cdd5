//! More calls of the market.

use anchor_lang::prelude::Address;
use provena_market::{
    client, pda,
    state::{OfferTerms, Party},
};
use provena_tests::{
    Calls, World,
    market::{CLUSTER, MOST, PaidIn, Scene, answer_bytes, quorum, seat, terms},
    registry,
    tokens::{donate_tokens, put_token_account},
    world::keypair,
};
use solana_signer::Signer;

/// Slots after which strangers may do what was the payer's alone.
const GRACE: u64 = 216_000;

pub(crate) fn calls(calls: &mut dyn Calls) {
    upgradeable(calls);
    sold(calls);
    two_offers(calls);
    two_models(calls);
    two_answers(calls);
    for (case, by_payer) in [("gift", true), ("by_anybody", false)] {
        gift(calls, case, by_payer);
    }
    unsealed(calls);
    forfeits(calls);
    chosen(calls);
    put_aside(calls);
}

/// Settings of a program that somebody can upgrade.
fn upgradeable(calls: &mut dyn Calls) {
    let mut world = World::new();
    let (authority, treasury) = (world.wallet("market authority"), world.wallet("treasury"));
    world.set_upgrade_authority(&provena_market::ID, &authority.pubkey());
    let initialize = client::initialize_admin(authority.pubkey(), treasury.pubkey(), CLUSTER, 250, 1_000_000_000);
    calls.call("market.initialize_admin.upgradeable", &mut world, &[initialize], &[&authority]);
}

/// An offer whose asset was sold: its new holder closes it, and its maker gets the rent.
fn sold(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let buyer = scene.world.wallet("buyer");
    let nft = scene.sell_nft(&buyer.pubkey());
    let close = client::close_offer(buyer.pubkey(), nft, scene.offer, &scene.offer());
    calls.call("market.close_offer.sold", &mut scene.world, &[close], &[&buyer]);
}

/// A job on one of two offers of the same model, of which the other one is dearer.
fn two_offers(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    let dearer = scene.create_offer(1, OfferTerms { base_price: 6_000, ..terms() });
    scene.world.accept(&[dearer], &[&scene.model.creator]);
    let post = scene.posting(scene.request(0, MOST));
    calls.call("market.post_job.two_offers", &mut scene.world, &[post], &[&scene.payer]);
}

/// An offer of one of two models of the same holder.
fn two_models(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    registry::model(&mut scene.world, "second model", &[]);
    let create = scene.create_offer(1, terms());
    calls.call("market.create_offer.two_models", &mut scene.world, &[create], &[&scene.model.creator]);
}

/// One of two answers of the same node, which two jobs of the same payer are waiting for.
fn two_answers(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let jobs = [scene.post(0), scene.post(1)];
    let (node, payer) = (scene.nodes[0].insecure_clone(), scene.payer.insecure_clone());
    let seals = jobs.map(|job| {
        scene.work(job, &[1]);
        scene.demand(job);
        let (parts, seal) = client::put_answer(node.pubkey(), job, &answer_bytes(1));
        parts.into_iter().for_each(|part| drop(scene.world.accept(&[part], &[&node])));
        seal
    });
    let [first, second] = seals;
    calls.call("market.seal_answer.two_answers", &mut scene.world, &[first], &[&node]);
    scene.world.accept(&[second], &[&node]);
    scene.world.pass_slots(1_501);
    for (name, party) in [("collect_seat", Party::Seat(0)), ("collect_royalty", Party::Royalty)] {
        let collect = scene.collecting(&scene.job(&jobs[0]), party);
        calls.call(&format!("market.{name}.two_answers"), &mut scene.world, &[collect], &[]);
    }
    let close = client::close_answer(node.pubkey(), jobs[0]);
    calls.call("market.close_answer.two_answers", &mut scene.world, &[close], &[]);
    jobs.iter().for_each(|job| scene.collect_all(job));
    let close = scene.closing(&payer, &jobs[0]);
    calls.call("market.close_job.two_answers", &mut scene.world, &[close], &[&payer]);
}

/// A job in tokens that everybody has collected from.
fn collected() -> (Scene, Address) {
    let mut scene = Scene::new(PaidIn::Token, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    scene.collect_all(&job);
    (scene, job)
}

/// A job whose escrow holds what a stranger sent there.
fn gift(calls: &mut dyn Calls, case: &str, by_payer: bool) {
    let (mut scene, job) = collected();
    donate_tokens(&mut scene.world, &pda::escrow(&job).0, 1_000);
    scene.world.pass_slots(GRACE + 151);
    let caller = if by_payer { scene.payer.insecure_clone() } else { scene.world.wallet("anybody") };
    let close = scene.closing(&caller, &job);
    calls.call(&format!("market.close_job.{case}"), &mut scene.world, &[close], &[&caller]);
}

/// An answer that its poster takes back while the job waits for one.
fn unsealed(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Sol, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.demand(job);
    let (parts, _) = client::put_answer(scene.authority(0), job, &answer_bytes(1));
    scene.world.accept(&parts[..1], &[&scene.nodes[0]]);
    let mut close = client::close_answer(scene.authority(0), job);
    close.accounts[0].is_signer = true;
    calls.call("market.close_answer.unsealed", &mut scene.world, &[close], &[&scene.nodes[0]]);
}

/// A job in tokens of which one node never revealed: its bond is owed in lamports, the fee in tokens.
fn forfeits(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Token, quorum(3, 2));
    scene.open_inboxes();
    scene.open_sol_inbox();
    let job = scene.post(0);
    scene.commit_all(job, &[1, 1, 1]);
    for node in 0..2 {
        scene.reveal(job, node, seat(node), 1);
    }
    scene.world.pass_slots(151);
    scene.finalize(&job);
    scene.acknowledge(job);
    for (name, party) in [("collect_protocol", Party::Protocol), ("collect_seat", Party::Seat(0))] {
        let collect = scene.collecting(&scene.job(&job), party);
        calls.call(&format!("market.{name}.forfeits"), &mut scene.world, &[collect], &[]);
    }
}

/// A node and a payer who are paid into token accounts of their choice, for which they sign.
fn chosen(calls: &mut dyn Calls) {
    let mut scene = Scene::new(PaidIn::Token, terms());
    scene.open_inboxes();
    let job = scene.post(0);
    scene.work(job, &[1]);
    scene.acknowledge(job);
    let (node, payer, mint) = (scene.nodes[0].insecure_clone(), scene.payer.insecure_clone(), scene.money.mint());
    for (name, party, owner, wallet, tokens) in
        [("collect_seat", Party::Seat(0), &node, 2, 4), ("collect_refund", Party::Payer, &payer, 1, 3)]
    {
        let account = keypair(&format!("savings for {name}")).pubkey();
        put_token_account(&mut scene.world, &account, &mint, &owner.pubkey(), 0);
        let mut collect = scene.collecting(&scene.job(&job), party);
        collect.accounts[wallet].is_signer = true;
        collect.accounts[tokens].pubkey = account;
        calls.call(&format!("market.{name}.chosen"), &mut scene.world, &[collect], &[owner]);
    }
}

/// What the payer could not take, and a second amount for the same node.
fn put_aside(calls: &mut dyn Calls) {
    for (case, paid_in) in [("", PaidIn::Sol), (".token", PaidIn::Token)] {
        let mut scene = Scene::new(paid_in, terms());
        let helper = scene.world.wallet("helper");
        let jobs = [scene.post(0), scene.post(1)];
        for job in jobs {
            scene.work(job, &[1]);
        }
        scene.world.pass_slots(GRACE);
        let park =
            |scene: &Scene, job, seat| client::park(helper.pubkey(), &scene.job(&job), seat, scene.token_program());
        let first = park(&scene, jobs[0], Some(0));
        scene.world.accept(&[first], &[&helper]);
        let second = park(&scene, jobs[1], Some(0));
        calls.call(&format!("market.park.again{case}"), &mut scene.world, &[second], &[&helper]);
        let payers = park(&scene, jobs[0], None);
        calls.call(&format!("market.park.payer{case}"), &mut scene.world, &[payers], &[&helper]);
        let collect = client::collect_residual(scene.payer.pubkey(), helper.pubkey(), scene.money.currency());
        calls.call(&format!("market.collect_residual.payer{case}"), &mut scene.world, &[collect], &[]);
    }
}
