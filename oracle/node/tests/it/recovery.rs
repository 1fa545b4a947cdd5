//! Killing the node at every call it makes to the chain, before and after the call's effect, and starting it again.

use std::sync::Arc;
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_client::receipt::check_against;
use provena_market::instruction;
use provena_market::state::{Job, JobState, OfferTerms};
use provena_node::journal::{End, Journal};
use provena_node::tasks::submit::Outcome;
use provena_tests::world::keypair;
use provena_wire::{Request, receipt};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use crate::support::market::{BOND, PRICE, STAKE, Scene, WINDOW};
use crate::support::meddle::{Fate, Meddling};
use crate::support::model;

/// Drives `job` until the node dies at call number `at`; `Some` when it ended before.
async fn drive_until_killed(
    scene: &Scene,
    data: &std::path::Path,
    job: &Pubkey,
    at: usize,
    after_effect: bool,
) -> Option<Outcome> {
    let fate = if after_effect { Fate::KillAfter } else { Fate::KillBefore };
    let rule = move |_, number| if number == at { fate } else { Fate::Pass };
    let chain = Arc::new(Meddling::new(scene.chain.clone(), rule));
    let worker = scene.worker("node", chain.clone(), data);
    let closing = CancellationToken::new();
    tokio::select! {
        outcome = worker.drive(job, &closing) => Some(outcome.expect("the crash log works")),
        () = chain.killed() => None,
    }
}

async fn drive_to_the_end(scene: &Scene, data: &std::path::Path, job: &Pubkey) -> Outcome {
    let worker = scene.worker("node", scene.chain.clone(), data);
    let closing = CancellationToken::new();
    let outcome = tokio::time::timeout(Duration::from_secs(20), worker.drive(job, &closing)).await;
    outcome.expect("the node finishes").expect("the crash log works")
}

fn job_state(scene: &Scene, job: &Pubkey) -> Job {
    scene.chain.world(|world| world.state(job))
}

/// The whole life of a job with one crash at call `at`. Says whether the node was still alive at that call.
async fn survives_a_crash_at(at: usize, after_effect: bool) -> bool {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(3)).await.unwrap();

    let before = drive_until_killed(&scene, data.path(), &posted.job, at, after_effect).await;
    let outcome = drive_to_the_end(&scene, data.path(), &posted.job).await;
    assert_eq!(outcome, Outcome::Ended(End::Settled), "crash at call {at}, after its effect: {after_effect}");

    let job = job_state(&scene, &posted.job);
    assert_eq!(job.state(), Ok(JobState::Settled));
    assert_eq!(job.units_used, 3);
    assert_eq!(job.paid_nodes + job.paid_royalty + job.paid_protocol + job.refunded, 3 * PRICE);
    let node = scene.node("node");
    assert_eq!((node.stake, node.locked, node.forfeited, node.agreed), (STAKE, 0, 0, 1));
    for done_once in [
        instruction::ClaimSlot::DISCRIMINATOR,
        instruction::Commit::DISCRIMINATOR,
        instruction::Reveal::DISCRIMINATOR,
        instruction::Settle::DISCRIMINATOR,
    ] {
        assert_eq!(scene.chain.count(done_once), 1, "crash at call {at}");
    }
    let path = data.path().join("receipts").join(format!("{}.json", posted.job));
    let signed = receipt::load(&path).unwrap();
    signed.verify().unwrap();
    check_against(&signed, &posted.job, &job, None).unwrap();
    let response = scene.client().response(&job).await.unwrap();
    let reference = provena_engine::reference::run(&model::artifact(), &model::request(3)).unwrap();
    assert_eq!(response, reference);
    assert_receipts_signed(data.path(), 1);
    before.is_none()
}

/// However often it is written down again, there is one receipt and one result in the crash log.
fn assert_receipts_signed(data: &std::path::Path, expected: usize) {
    let log = std::fs::read_to_string(data.join("journal.jsonl")).unwrap();
    let distinct = |kind: &str| {
        let lines = log.lines().filter(|line| line.contains(kind));
        lines.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(distinct("\"signing\""), expected, "{log}");
    assert_eq!(distinct("\"computed\""), 1, "{log}");
}

#[tokio::test]
async fn a_crash_before_any_call_loses_nothing() {
    let mut at = 0;
    while survives_a_crash_at(at, false).await {
        at += 1;
    }
    assert!(at >= 20, "only {at} calls: the whole life of a job has more");
}

#[tokio::test]
async fn a_crash_after_any_call_loses_nothing() {
    let mut at = 0;
    while survives_a_crash_at(at, true).await {
        at += 1;
    }
    assert!(at >= 20, "only {at} calls: the whole life of a job has more");
}

#[tokio::test]
async fn a_lost_crash_log_does_not_cost_the_bond() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap();
    // Die once the commitment is on the chain, and lose everything but the key.
    let mut at = 0;
    while scene.chain.count(instruction::Commit::DISCRIMINATOR) == 0 {
        assert!(drive_until_killed(&scene, data.path(), &posted.job, at, true).await.is_none());
        at += 1;
    }
    let fresh = tempfile::tempdir().unwrap();
    let outcome = drive_to_the_end(&scene, fresh.path(), &posted.job).await;
    assert_eq!(outcome, Outcome::Ended(End::Settled));
    assert_eq!(scene.node("node").forfeited, 0);
}

#[tokio::test]
async fn a_node_that_returns_too_late_ends_its_claim_and_loses_only_the_bond() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    let mut at = 0;
    while scene.chain.count(instruction::ClaimSlot::DISCRIMINATOR) == 0 {
        assert!(drive_until_killed(&scene, data.path(), &posted.job, at, true).await.is_none());
        at += 1;
    }
    scene.chain.advance(3 * u64::from(WINDOW));
    let outcome = drive_to_the_end(&scene, data.path(), &posted.job).await;
    assert!(matches!(outcome, Outcome::Ended(End::Abandoned(_))), "{outcome:?}");
    let node = scene.node("node");
    assert_eq!((node.stake, node.locked, node.forfeited), (STAKE - BOND, 0, 1));
}

#[tokio::test]
async fn a_job_whose_input_is_missing_is_never_claimed() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    std::fs::remove_file(scene.shared.join("blobs").join(hex::encode(posted.input_root))).unwrap();
    let outcome = drive_to_the_end(&scene, data.path(), &posted.job).await;
    let Outcome::Declined(reason) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("does not have it"), "{reason}");
    assert_eq!(scene.chain.count(instruction::ClaimSlot::DISCRIMINATOR), 0);
    assert_eq!(Journal::open(&data.path().join("journal.jsonl")).unwrap().unfinished(), Vec::new());
}

#[tokio::test]
async fn a_job_whose_input_the_model_refuses_is_never_claimed() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let request = Request::Classify { images: vec![vec![17; 64]] };
    let posted = scene.client().post_job(&scene.offer, &request).await.unwrap();
    let outcome = drive_to_the_end(&scene, data.path(), &posted.job).await;
    assert!(matches!(&outcome, Outcome::Declined(reason) if reason.contains("request")), "{outcome:?}");
    assert_eq!(scene.chain.count(instruction::ClaimSlot::DISCRIMINATOR), 0);
}

#[tokio::test]
async fn a_job_whose_terms_are_too_risky_is_never_claimed() {
    for (reason, change) in [
        ("a bond of", (|terms| terms.bond_lamports += 1) as fn(&mut OfferTerms)),
        ("a window of", |terms| terms.commit_window -= 1),
        ("a window of", |terms| terms.reveal_window = 4),
    ] {
        let scene = Scene::new(&["node"], 1, 1).await;
        let data = tempfile::tempdir().unwrap();
        let offer = scene.offer_with(change);
        let posted = scene.client().post_job(&offer, &model::request(1)).await.unwrap();
        let outcome = drive_to_the_end(&scene, data.path(), &posted.job).await;
        assert!(matches!(&outcome, Outcome::Declined(why) if why.contains(reason)), "{outcome:?}");
        assert_eq!(scene.chain.count(instruction::ClaimSlot::DISCRIMINATOR), 0);
    }
}

#[tokio::test]
async fn a_job_paid_in_tokens_pays_wallets_that_never_held_any() {
    let scene = Scene::in_tokens(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let client = scene.client().with_spare_units(1);
    let posted = client.post_job(&scene.offer, &model::request(3)).await.unwrap();
    assert_eq!(drive_to_the_end(&scene, data.path(), &posted.job).await, Outcome::Ended(End::Settled));
    let split = provena_market::view::paid(&job_state(&scene, &posted.job));
    assert_eq!((split.total().unwrap().0, split.refund.0), (4 * PRICE, PRICE));
    let balance = |name: &str| scene.chain.world(|world| scene.money.balance(world, &keypair(name).pubkey()));
    assert_eq!((balance("node"), balance("treasury")), (split.nodes.0, split.protocol.0));
    assert!(split.nodes.0 > 0 && split.protocol.0 > 0 && split.royalty.0 > 0, "{split:?}");
    assert_eq!(balance("payer"), 1_000 * PRICE - 3 * PRICE);
}

#[tokio::test]
async fn three_nodes_agree_and_one_of_them_settles() {
    let names = ["node a", "node b", "node c"];
    let scene = Scene::new(&names, 3, 2).await;
    let folders: Vec<_> = names.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let posted = scene.client().post_job(&scene.offer, &model::request(4)).await.unwrap();
    let driven = names.iter().zip(&folders).map(|(name, folder)| {
        let worker = scene.worker(name, scene.chain.clone(), folder.path());
        async move { worker.drive(&posted.job, &CancellationToken::new()).await.expect("the crash log works") }
    });
    let all = futures_util::future::join_all(driven);
    let outcomes = tokio::time::timeout(Duration::from_secs(30), all).await.expect("they finish");
    assert_eq!(outcomes, vec![Outcome::Ended(End::Settled); 3]);
    let job = job_state(&scene, &posted.job);
    assert_eq!(job.state(), Ok(JobState::Settled));
    assert_eq!(scene.chain.count(instruction::Settle::DISCRIMINATOR), 1);
    for name in names {
        let node = scene.node(name);
        assert_eq!((node.locked, node.agreed), (0, 1), "{name}");
    }
}

#[tokio::test]
async fn closing_leaves_a_job_resumable() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    let closing = CancellationToken::new();
    closing.cancel();
    {
        let worker = scene.worker("node", scene.chain.clone(), data.path());
        assert_eq!(worker.drive(&posted.job, &closing).await.unwrap(), Outcome::Left);
    }
    assert_eq!(drive_to_the_end(&scene, data.path(), &posted.job).await, Outcome::Ended(End::Settled));
}
