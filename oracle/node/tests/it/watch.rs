//! Finding work: what takes a place and what does not, and what only the chain knows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_market::state::JobState;
use provena_market::{client, instruction};
use provena_node::journal::{End, JournalError};
use provena_node::metrics::JobEvent;
use provena_node::tasks::watch::Watcher;
use provena_node::tasks::{Collector, Worker};
use provena_tests::market::STAKE;
use provena_tests::world::keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::market::{BOND, Scene};
use crate::support::model;

const POLL: Duration = Duration::from_millis(5);

/// A node that works until it is told to stop.
pub(crate) struct Running {
    pub worker: Arc<Worker>,
    closing: CancellationToken,
    tasks: [JoinHandle<Result<(), JournalError>>; 2],
}

impl Running {
    pub(crate) fn start(worker: Arc<Worker>) -> Self {
        let closing = CancellationToken::new();
        let tasks = [
            tokio::spawn(Watcher::new(worker.clone(), POLL).run(closing.clone())),
            tokio::spawn(Collector::new(worker.clone(), POLL).run(closing.clone())),
        ];
        Self { worker, closing, tasks }
    }

    pub(crate) async fn stop(self) {
        self.closing.cancel();
        for task in self.tasks {
            task.await.unwrap().unwrap();
        }
    }
}

pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..4_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(POLL).await;
    }
    panic!("never {what}");
}

fn worker(scene: &Scene, data: &Path) -> Arc<Worker> {
    scene.worker("node", scene.chain.clone(), data)
}

#[tokio::test]
async fn a_job_that_awaits_pay_holds_no_place_of_work() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let client = scene.client();
    let node = Running::start(worker(&scene, data.path()));
    let mut jobs = Vec::new();
    for _ in 0..4 {
        // Nobody acknowledges any of them, and no time passes but what transactions take.
        jobs.push(client.post_job(&scene.offer, &model::request(1)).await.unwrap().job);
    }
    let agreed = |job: &Pubkey| scene.job(job).state().unwrap() == JobState::Agreed;
    until("all are answered", || jobs.iter().all(agreed)).await;
    until("all await pay", || node.worker.journal().awaiting_pay().len() == 4).await;
    assert!(node.worker.journal().in_progress().is_empty());
    assert_eq!(scene.node("node").locked, 4 * BOND);
    node.stop().await;

    // A restart goes on waiting, and collects several at once.
    let node = Running::start(worker(&scene, data.path()));
    scene.chain.advance(1_501);
    until("all are paid", || node.worker.journal().awaiting_pay().is_empty()).await;
    let account = scene.node("node");
    assert_eq!((account.stake, account.locked, account.agreed), (STAKE, 0, 4));
    assert_eq!(scene.chain.count(instruction::CollectSeat::DISCRIMINATOR), 4);
    until("all are counted", || node.worker.metrics().count(JobEvent::Settled) == 4).await;
    let ends = jobs.iter().flat_map(|job| node.worker.journal().at(job)).map(|(_, record)| record.end);
    assert!(ends.into_iter().all(|end| end == Some(End::Settled)));
    // One transaction for all: 5,000 lamports.
    let last = scene
        .chain
        .past()
        .iter()
        .rev()
        .take(4)
        .all(|past| past.data.starts_with(instruction::CollectSeat::DISCRIMINATOR));
    assert!(last, "they were collected together");
    node.stop().await;
}

#[tokio::test]
async fn a_seat_that_only_the_chain_knows_is_found() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap();
    // The node took the seat, and lost its crash log.
    let me = keypair("node");
    let hash = scene.job(&posted.job).job.terms_hash;
    scene.chain.world(|world| {
        world.accept(&[client::take_seat(me.pubkey(), posted.job, 0, hash)], &[&me]);
    });
    let node = Running::start(worker(&scene, data.path()));
    until("it is answered", || scene.job(&posted.job).state().unwrap() == JobState::Agreed).await;
    until("it awaits pay", || node.worker.journal().awaiting_pay().len() == 1).await;
    node.stop().await;

    // Once more, with the decision on the chain and the pay to come.
    let fresh = tempfile::tempdir().unwrap();
    let node = Running::start(worker(&scene, fresh.path()));
    until("it awaits pay again", || node.worker.journal().awaiting_pay().len() == 1).await;
    assert!(node.worker.journal().receipt(&posted.job).is_some());
    scene.client().acknowledge(&posted.job).await.unwrap();
    until("it is paid", || node.worker.journal().awaiting_pay().is_empty()).await;
    assert_eq!(scene.node("node").locked, 0);
    node.stop().await;

    // Nothing is left to do or to get there.
    let fresh = tempfile::tempdir().unwrap();
    let node = Running::start(worker(&scene, fresh.path()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(node.worker.journal().at(&posted.job).is_empty());
    node.stop().await;
}

#[tokio::test]
async fn jobs_for_models_that_the_operator_did_not_choose_are_left_alone() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let others = vec![Pubkey::new_from_array([9; 32])];
    let node = Running::start(scene.worker_serving("node", scene.chain.clone(), data.path(), others));
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
    assert_eq!(scene.job(&posted.job).state().unwrap(), JobState::Open);
    node.stop().await;
}
