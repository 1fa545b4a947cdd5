//! Jobs of several seats that nobody else takes: what they can cost a node that sits down first is little, and where nodes come
//! nothing is held up.

use std::sync::Arc;
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_client::Client;
use provena_market::state::{JobState, SeatState};
use provena_market::{client, instruction};
use provena_node::tasks::submit::Outcome;
use provena_tests::market::STAKE;
use provena_tests::world::keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use crate::support::market::Scene;
use crate::support::{folder_store, model};
use crate::watch::{Running, until};

fn payer(scene: &Scene, name: &str) -> Client {
    let wallet = scene.chain.world(|world| world.wallet(name));
    Client::new(scene.chain.clone(), folder_store(&scene.shared), Arc::new(wallet))
}

fn lamports(scene: &Scene, name: &str) -> u64 {
    scene.chain.world(|world| world.lamports(&keypair(name).pubkey()))
}

/// Many wallets post jobs for two nodes on several offers, and nobody else takes a seat: each seat that is taken and left costs
/// three transactions, which nobody pays. It is done eight times, and then no more; where somebody else sits, the node sits down
/// beside him.
#[tokio::test]
async fn seats_that_are_left_in_vain_cost_a_node_few_transactions() {
    let scene = Scene::new(&["node", "other"], 1, 1).await;
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let node = Running::start(scene.worker("node", scene.chain.clone(), data.path()));
    let before = lamports(&scene, "node");
    let taken = || scene.chain.count(instruction::TakeSeat::DISCRIMINATOR);
    let refused = || node.worker.metrics().refusals("left_alone");
    let mut jobs = Vec::new();
    for number in 2..5 {
        let offer = scene.offer_numbered(number, |terms| {
            (terms.seats, terms.quorum, terms.open_window) = (2, 2, 3_000);
        });
        for index in 0..8 {
            let attacker = payer(&scene, &format!("attacker {number} {index}"));
            jobs.push(attacker.post_job(&offer, &model::request(1)).await.unwrap().job);
        }
    }
    until("some are taken and the others left alone", || taken() >= 8 && refused() >= 16).await;
    let committed = || scene.chain.count(instruction::Commit::DISCRIMINATOR);
    until("all have committed", || committed() == 8).await;
    scene.chain.advance(151);
    let sits = |job: &Pubkey| scene.job(job).seats.iter().any(|seat| !seat.is(SeatState::Free));
    until("the seats are left", || !jobs.iter().any(sits)).await;
    let late = payer(&scene, "late attacker");
    let offer = scene.job(&jobs[0]).job.offer;
    jobs.push(late.post_job(&offer, &model::request(2)).await.unwrap().job);
    let known = refused();
    until("it is left alone as well", || refused() > known).await;
    assert_eq!((taken(), before - lamports(&scene, "node")), (8, 8 * 3 * 5_000));
    assert_eq!((scene.node("node").stake, scene.node("node").locked), (STAKE, 0));

    // A job of one seat is nobody's trap.
    let honest = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job;
    until("it is answered", || scene.job(&honest).state().unwrap() == JobState::Agreed).await;
    // Another node takes a seat after all: this one sits down beside it.
    let second = scene.worker("other", scene.chain.clone(), other.path());
    let driven = second.drive(&jobs[24], &CancellationToken::new()).await.unwrap();
    assert_eq!(driven, Outcome::AwaitsPay);
    assert_eq!((scene.job(&jobs[24]).state().unwrap(), taken()), (JobState::Agreed, 8 + 1 + 2));
    node.stop().await;
}

/// The attacker's own node sits in each job of three before anybody else, and stays: beside it a seat waits for the third node
/// as long as alone. It is left, and not taken again, as often as any other, until the third one is there.
#[tokio::test]
async fn seats_beside_a_strangers_own_node_are_left_in_vain_as_few_times_and_not_taken_again() {
    let scene = Scene::new(&["node", "sybil", "other"], 1, 1).await;
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut jobs = Vec::new();
    for number in 2..4 {
        let offer = scene.offer_numbered(number, |terms| {
            (terms.seats, terms.quorum, terms.open_window) = (3, 2, 3_000);
        });
        for index in 0..6 {
            let attacker = payer(&scene, &format!("attacker {number} {index}"));
            let job = attacker.post_job(&offer, &model::request(1)).await.unwrap().job;
            let (sybil, hash) = (keypair("sybil"), scene.job(&job).job.terms_hash);
            let sit = client::take_seat(sybil.pubkey(), job, 0, hash, 0);
            let commit = client::commit(sybil.pubkey(), job, 0, [1; 32]);
            scene.chain.world(|world| world.accept(&[sit, commit], &[&sybil]));
            jobs.push(job);
        }
    }
    let before = lamports(&scene, "node");
    let node = Running::start(scene.worker("node", scene.chain.clone(), data.path()));
    let taken = || scene.chain.count(instruction::TakeSeat::DISCRIMINATOR);
    let refused = || node.worker.metrics().refusals("left_alone");
    until("some are taken and the others left alone", || taken() >= 8 && refused() >= 4).await;
    until("all have committed", || scene.chain.count(instruction::Commit::DISCRIMINATOR) == 8).await;
    scene.chain.advance(151);
    let me = keypair("node").pubkey();
    let sits = |job: &Pubkey| scene.job(job).seat_of(&me).is_some();
    let left = || scene.chain.count(instruction::LeaveSeat::DISCRIMINATOR);
    until("the seats are left", || left() == 8 && !jobs.iter().any(sits)).await;
    let known = refused();
    until("the others are looked at again", || refused() > known).await;
    assert_eq!((taken(), before - lamports(&scene, "node")), (8, 8 * 3 * 5_000));

    // An honest node comes to one of those that were left: the last seat waits for nobody.
    let was_left = |job: &&Pubkey| node.worker.journal().at(job).iter().any(|(_, record)| record.left);
    let job = *jobs.iter().find(was_left).unwrap();
    let third = scene.worker("other", scene.chain.clone(), other.path());
    let closing = CancellationToken::new();
    let last = async {
        until("it sits down beside it", || sits(&job)).await;
        until("the two agree", || {
            scene.chain.advance(1);
            scene.job(&job).state().unwrap() == JobState::Agreed
        })
        .await;
    };
    let (driven, ()) = tokio::join!(third.drive(&job, &closing), last);
    assert_eq!((driven.unwrap(), taken()), (Outcome::AwaitsPay, 8 + 2));
    node.stop().await;
    assert_eq!((scene.node("node").stake, scene.node("node").forfeited), (STAKE, 0));
}

/// One payer has many jobs for two nodes, and both are there: all are answered, although few may be begun alone.
#[tokio::test]
async fn where_nodes_come_nothing_is_held_up() {
    let scene = Scene::new(&["node", "other"], 2, 2).await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut jobs = Vec::new();
    for _ in 0..8 {
        jobs.push(scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job);
    }
    let nodes = ["node", "other"].into_iter().zip(&folders);
    let nodes: Vec<_> =
        nodes.map(|(name, data)| Running::start(scene.worker(name, scene.chain.clone(), data.path()))).collect();
    until("all are answered", || jobs.iter().all(|job| scene.job(job).state().unwrap() == JobState::Agreed)).await;
    for node in nodes {
        node.stop().await;
    }
    assert_eq!(scene.chain.count(instruction::LeaveSeat::DISCRIMINATOR), 0);
}

/// A job whose window is over before a seat may be left costs as much, and counts as much.
#[tokio::test]
async fn a_job_that_nobody_else_came_to_counts_like_a_seat_that_was_left() {
    let scene = Scene::new(&["node"], 2, 2).await;
    let data = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let closing = CancellationToken::new();
    let post = async |images| scene.client().post_job(&scene.offer, &model::request(images)).await.unwrap().job;
    for images in 1..=4 {
        let job = post(images).await;
        let time = async {
            until("it has committed", || scene.chain.count(instruction::Commit::DISCRIMINATOR) == images).await;
            scene.chain.advance(170);
        };
        let (driven, ()) = tokio::join!(worker.drive(&job, &closing), time);
        assert_eq!((driven.unwrap(), scene.job(&job).state().unwrap()), (Outcome::AwaitsPay, JobState::Failed));
    }
    let fifth = post(5).await;
    let driven = tokio::time::timeout(Duration::from_secs(20), worker.drive(&fifth, &closing)).await;
    assert!(matches!(driven, Ok(Ok(Outcome::Declined(_)))), "{driven:?}");
    assert_eq!(worker.metrics().refusals("left_alone"), 1);
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 4);
}
