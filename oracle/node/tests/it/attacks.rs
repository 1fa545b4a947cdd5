//! The attacks of the audit in which a node has a part, played against the node itself.

use std::time::Duration;

use anchor_lang::Discriminator;
use provena_arith::hash::sha256;
use provena_client::ClientError;
use provena_market::constants::SETTLE_AFTER;
use provena_market::state::{JobState, Seat, SeatState};
use provena_market::{client, instruction};
use provena_node::journal::{Computed, End, JobKey};
use provena_node::tasks::{Collector, submit::Outcome};
use provena_tests::market::STAKE;
use provena_tests::world::keypair;
use provena_wire::Units;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use crate::support::folder_store;
use crate::support::market::{BOND, Scene, WINDOW};
use crate::support::model;

/// C1, bond theft through a job that times out. Payer and both first nodes are one attacker: X takes a seat and misses it
/// three times, Y takes the other one and is late; the victim then takes the free seat, and everything that anybody may call
/// is called against it, by the attacker and by the victim itself.
#[tokio::test]
async fn c1_the_node_calls_nothing_that_robs_it() {
    let scene = Scene::new(&["x", "y", "victim"], 2, 2).await;
    let data = tempfile::tempdir().unwrap();
    // The window outlives three missed seats.
    let offer = scene.offer_with(|terms| terms.open_window = 4 * WINDOW);
    let posted = scene.client().post_job(&offer, &model::request(1)).await.unwrap();
    let hash = scene.job(&posted.job).job.terms_hash;
    let take = |name: &str, index| {
        scene.chain.world(|world| {
            let node = keypair(name);
            world.accept(&[client::take_seat(node.pubkey(), posted.job, index, hash, 0)], &[&node]);
        });
    };
    for _ in 0..3 {
        take("x", 0);
        scene.chain.advance(u64::from(WINDOW) + 1);
        let late = scene.job(&posted.job);
        scene.chain.world(|world| world.accept(&[client::expire_seat(&late, 0)], &[]));
    }
    take("y", 1);
    scene.chain.advance(u64::from(WINDOW) - 10);

    let victim = scene.worker("victim", scene.chain.clone(), data.path());
    let driven = victim.clone();
    let working = tokio::spawn(async move { driven.drive(&posted.job, &CancellationToken::new()).await.unwrap() });
    while scene.chain.count(instruction::Commit::DISCRIMINATOR) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Now Y's deadline passes, and soon the window. Whoever acts first, the victim or somebody else, ends the job.
    scene.chain.advance(2 * u64::from(WINDOW));
    assert_eq!(working.await.unwrap(), Outcome::AwaitsPay);
    scene.collect(&victim, false).await;

    let job = scene.job(&posted.job);
    assert_eq!(job.state().unwrap(), JobState::Failed);
    let node = scene.node("victim");
    assert_eq!((node.stake, node.locked, node.forfeited), (STAKE, 0, 0), "it kept every promise");
    assert_eq!((scene.node("x").stake, scene.node("y").stake), (STAKE - 3 * BOND, STAKE - BOND));
    // The payer gets the deposit and nothing of the bonds: they are the treasury's.
    let split = job.split().unwrap();
    assert_eq!((split.refund.0, job.job.forfeited), (posted.deposit, 4 * BOND));
}

/// H1, job address reuse: a payer posts another input at the address of a job that was closed. The programs do not let an
/// address come back; and if one did, nothing that a node keeps or says of the first posting could be used for the second.
#[tokio::test]
async fn h1_what_was_said_of_one_posting_opens_nothing_of_another() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let address = Pubkey::new_from_array([7; 32]);
    let posting = |posted_at, input| JobKey { job: address, posted_at, input_root: [input; 32] };
    let postings = [posting(10, 1), posting(11, 1), posting(10, 2)];
    // Salts differ with slot and input, and are the same after a lost crash log.
    let salts = postings.map(|key| worker.salt(&key));
    assert!(salts[0] != salts[1] && salts[0] != salts[2] && salts[1] != salts[2]);
    drop(worker);
    let fresh = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), fresh.path());
    assert_eq!(postings.map(|key| worker.salt(&key)), salts);
    // Another node's are others.
    let other = tempfile::tempdir().unwrap();
    assert_ne!(scene.worker("other", scene.chain.clone(), other.path()).salt(&postings[0]), salts[0]);

    // With the salt of the first, which a closed job may have made public, no commitment of the second is opened, even for
    // the same result.
    let job: provena_market::state::Job = bytemuck::Zeroable::zeroed();
    let computed = |salt| Computed { result_root: [9; 32], units: Units::new(1, 0), salt };
    let commitments = [
        worker.commitment(&postings[0], &job, &computed(salts[0])),
        worker.commitment(&postings[1], &job, &computed(salts[0])),
        worker.commitment(&postings[1], &job, &computed(salts[1])),
    ];
    assert!(commitments[0] != commitments[1] && commitments[1] != commitments[2]);
    // Nothing public gives the salt away: it is no hash of what is known.
    assert_ne!(salts[0], sha256(&[address.as_ref(), &[1; 32], &10u64.to_le_bytes()]));
}

/// H1 against the whole node: it serves a job, the payer closes it, and something else is written to the same address, as a
/// reused one would be. The node treats it as a job that it has never seen.
#[tokio::test]
async fn h1_a_node_computes_anew_at_an_address_that_it_has_served() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let client = scene.client();
    let first = client.post_job(&scene.offer, &model::request(1)).await.unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    assert_eq!(scene.live(&worker, &first.job).await, Outcome::Ended(End::Settled));
    let served = worker.journal().at(&first.job);
    scene.chain.advance(200);
    client.close(&first.job).await.unwrap();
    assert!(scene.job_or_none(&first.job).is_none());

    let second = client.post_job(&scene.offer, &model::request(2)).await.unwrap();
    scene.chain.world(|world| {
        let account = world.account(&second.job).unwrap();
        world.svm.set_account(first.job, account).unwrap();
    });
    assert_eq!(scene.live(&worker, &first.job).await, Outcome::Ended(End::Settled));
    let seat: Seat = scene.job(&first.job).seats[0];
    let reference = provena_engine::reference::run(&model::artifact(), &model::request(2)).unwrap();
    assert_eq!(seat.value, reference.result_root());
    let now = worker.journal().at(&first.job);
    assert_eq!((served.len(), now.len()), (1, 2));
    assert!(now.contains(&served[0]), "the first record is as it was");
    let [old, new] = [&now[0], &now[1]].map(|(_, record)| record.computed.unwrap());
    assert!(old.salt != new.salt && old.result_root != new.result_root);
}

/// H3, forfeits to oneself: of two nodes one is the payer's own; it commits, and withholds its reveal once the honest one has
/// revealed. It gains nothing: no answer is handed out without a quorum, and the bond that it forfeits is not the payer's.
#[tokio::test]
async fn h3_an_answer_is_served_once_a_quorum_agreed_and_not_before() {
    let scene = Scene::new(&["honest", "sybil"], 2, 2).await;
    let data = tempfile::tempdir().unwrap();
    let client = scene.client();
    let posted = client.post_job(&scene.offer, &model::request(2)).await.unwrap();
    let hash = scene.job(&posted.job).job.terms_hash;
    let sybil = keypair("sybil");
    scene.chain.world(|world| {
        let take = client::take_seat(sybil.pubkey(), posted.job, 0, hash, 0);
        let commit = client::commit(sybil.pubkey(), posted.job, 0, [1; 32]);
        world.accept(&[take, commit], &[&sybil]);
    });
    let honest = scene.worker("honest", scene.chain.clone(), data.path());
    let driven = honest.clone();
    let working = tokio::spawn(async move { driven.drive(&posted.job, &CancellationToken::new()).await.unwrap() });
    while scene.chain.count(instruction::Reveal::DISCRIMINATOR) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answer = provena_engine::reference::run(&model::artifact(), &model::request(2)).unwrap();
    let nowhere = async || {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let has = folder_store(&scene.shared).has(&answer.result_root()).await;
        !has && honest.journal().receipt(&posted.job).is_none()
    };
    assert!(nowhere().await, "it was served before there was a quorum");
    scene.chain.advance(u64::from(WINDOW) + 1);
    assert_eq!(working.await.unwrap(), Outcome::AwaitsPay);
    let job = scene.job(&posted.job);
    assert_eq!(job.state().unwrap(), JobState::Failed);
    assert!(nowhere().await, "it was served without a quorum");
    assert!(matches!(client.response(&job).await, Err(ClientError::NoResult)));
    scene.collect(&honest, false).await;
    assert!(nowhere().await);

    // The honest node has its bond and 30,000 lamports for its transactions; the payer his deposit, which is all he had.
    let node = scene.node("honest");
    assert_eq!((node.stake, node.locked, node.forfeited), (STAKE, 0, 0));
    assert_eq!(scene.node("sybil").stake, STAKE - BOND);
    let split = job.split().unwrap();
    assert_eq!((split.refund.0, job.job.forfeited), (posted.deposit, BOND));
    let owed = |party| job.job.owed(&job.seats, party).unwrap();
    assert_eq!(owed(provena_market::state::Party::Seat(1)).lamports.0, 30_000);
    assert_eq!(owed(provena_market::state::Party::Payer).lamports.0, 0);
    assert_eq!(owed(provena_market::state::Party::Protocol).lamports.0, BOND - 30_000);
    assert!(job.seats[0].is(SeatState::Missed));
}

/// H2, bait and switch: between a node's check and its transaction the payer exchanges the job. The seat is asked for with
/// the hash of the terms that were checked, so that it lands on no others.
#[tokio::test]
async fn h2_a_seat_is_taken_for_the_terms_that_were_checked() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    let checked = scene.job(&posted.job).job.terms_hash;
    scene.chain.world(|world| {
        let mut job: provena_market::state::Job = scene_job(world, &posted.job);
        job.input_root = [66; 32];
        job.terms_hash = [67; 32];
        world.set_state(&posted.job, &job);
        let node = keypair("node");
        let take = client::take_seat(node.pubkey(), posted.job, 0, checked, 0);
        world.refuses(&[take], &[&node], provena_market::error::MarketError::WrongTerms);
    });
    // The node does not take the exchanged job either: its terms are not those of its offer.
    let data = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let outcome = worker.drive(&posted.job, &CancellationToken::new()).await.unwrap();
    assert!(matches!(&outcome, Outcome::Declined(why) if why.contains("other terms")), "{outcome:?}");
}

fn scene_job(world: &provena_tests::world::World, address: &Pubkey) -> provena_market::state::Job {
    let account = world.account(address).unwrap();
    client::JobRecord::decode(*address, &account.data).unwrap().job
}

/// H6, hostages: a party that cannot be paid holds nobody up. One node's token account is frozen; the other one, the payer and
/// the bonds of both do not wait for it.
#[tokio::test]
async fn h6_a_frozen_account_holds_nobody_up() {
    let scene = Scene::in_tokens(&["node", "frozen"], 2, 2).await;
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let client = scene.client();
    let posted = client.post_job(&scene.offer, &model::request(3)).await.unwrap();
    let workers =
        [("node", &one), ("frozen", &two)].map(|(name, folder)| scene.worker(name, scene.chain.clone(), folder.path()));
    let closing = CancellationToken::new();
    let (a, b) = tokio::join!(workers[0].drive(&posted.job, &closing), workers[1].drive(&posted.job, &closing));
    assert_eq!((a.unwrap(), b.unwrap()), (Outcome::AwaitsPay, Outcome::AwaitsPay));
    scene.chain.world(|world| {
        let frozen = keypair("frozen").pubkey();
        scene.money.give(world, &frozen, 0);
        provena_tests::tokens::set_frozen(world, &scene.money.account_of(&frozen), true);
        scene.money.give(world, &keypair("node").pubkey(), 0);
    });
    client.acknowledge(&posted.job).await.unwrap();
    for name in ["node", "frozen"] {
        let node = scene.node(name);
        assert_eq!((node.stake, node.locked, node.agreed), (STAKE, 0, 1), "{name}");
    }
    // 2,028,381 for both: the first seat has the odd one.
    let first = scene.job(&posted.job).seats[0].node == keypair("node").pubkey();
    assert_eq!(scene.balance("node"), if first { 1_014_191 } else { 1_014_190 });
    assert_eq!(scene.balance("frozen"), 0);
    assert_eq!(scene.balance("payer"), 1_000 * 1_000_003 - 3_005_009);
    scene.collect(&workers[0], false).await;
    let mut collector = Collector::new(workers[1].clone(), Duration::from_millis(5));
    assert_eq!(collector.round().await.unwrap(), 1, "its pay waits, and nothing is sent in vain");

    // Once it is thawed the node collects the rest by itself.
    scene.chain.advance(SETTLE_AFTER);
    scene.chain.world(|world| {
        provena_tests::tokens::set_frozen(world, &scene.money.account_of(&keypair("frozen").pubkey()), false);
    });
    scene.collect(&workers[1], false).await;
    assert_eq!(scene.balance("node") + scene.balance("frozen"), 2_028_381);
}
