//! Finding work: what takes a place and what does not, and what only the chain knows.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_market::state::{JobState, SeatState};
use provena_market::{client, instruction};
use provena_node::journal::{End, Entry, Event, JobKey, JournalError, Terms};
use provena_node::metrics::JobEvent;
use provena_node::tasks::watch::Watcher;
use provena_node::tasks::{Collector, Limits, Worker, WorkerParts};
use provena_tests::market::STAKE;
use provena_tests::world::keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::market::{BOND, Scene};
use crate::support::watched::{Call, Gatekeeper, Watched, pass};
use crate::support::{folder_store, model};

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
        world.accept(&[client::take_seat(me.pubkey(), posted.job, 0, hash, 0)], &[&me]);
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

/// A job that was begun and has no seat is looked at like any other that was declined: seldom. Its seat may have been taken after
/// all, by a transaction that was thought lost; then nothing waits.
#[tokio::test]
async fn a_job_with_a_noted_claim_is_not_begun_again_at_every_look() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap();
    let worker = worker(&scene, data.path());
    let job = scene.job(&posted.job);
    let terms = Terms { hash: job.job.terms_hash, ..Terms::of_offer(&scene.terms(&scene.offer)) };
    let taking = Event::Taking { index: 0, terms };
    worker.journal().append(&Entry { key: JobKey::of(&posted.job, &job.job), event: taking }).unwrap();
    std::fs::remove_file(scene.shared.join("blobs").join(hex::encode(posted.input_root))).unwrap();

    let node = Running::start(worker);
    let refused = || node.worker.metrics().refusals("not_available");
    until("it is declined", || refused() > 0).await;
    // A hundred looks and more.
    tokio::time::sleep(100 * POLL).await;
    assert_eq!(refused(), 1);
    assert_eq!(node.worker.journal().in_progress().len(), 1);

    folder_store(&scene.shared).put(model::request(2).to_bytes()).await.unwrap();
    let me = keypair("node");
    scene.chain.world(|world| {
        world.accept(&[client::take_seat(me.pubkey(), posted.job, 0, job.job.terms_hash, 0)], &[&me]);
    });
    until("it is answered", || scene.job(&posted.job).state().unwrap() == JobState::Agreed).await;
    assert_eq!((refused(), scene.node("node").forfeited), (1, 0));
    node.stop().await;
}

/// Work on one job dies while that on another goes on: it holds nothing any more, and is taken up again.
#[tokio::test]
async fn work_that_dies_takes_its_own_job_with_it_and_no_other() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let slow = scene.offer_with(|terms| (terms.seats, terms.quorum) = (2, 2));
    let dies = Arc::new(AtomicBool::new(false));
    let deadly = dies.clone();
    let engine = Watched::new(move |call| {
        assert!(call != Call::IsLoaded || !deadly.swap(false, Ordering::SeqCst), "this task dies");
        pass()
    });
    let limits = Limits { max_jobs: 2, payer_percent: 100, ..scene.limits() };
    let parts = scene.parts("node", scene.chain.clone(), data.path());
    let node = Running::start(Arc::new(Worker::new(WorkerParts { compute: engine, limits, ..parts })));
    let waiting = scene.client().post_job(&slow, &model::request(1)).await.unwrap().job;
    let committed = || scene.job(&waiting).seats.iter().any(|seat| seat.is(SeatState::Committed));
    until("one job waits for others", committed).await;

    dies.store(true, Ordering::SeqCst);
    let job = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job;
    until("its work dies", || !dies.load(Ordering::SeqCst)).await;
    // One place is the waiting job's, the other one must not be a dead job's.
    until("it holds no place", || node.worker.ledger().places() == 1).await;
    until("it is answered all the same", || scene.job(&job).state().unwrap() == JobState::Agreed).await;
    assert!(committed());
    assert_eq!(scene.node("node").forfeited, 0);
    node.stop().await;
}

/// Jobs that nobody had time to look at were passed over without a word.
#[tokio::test]
async fn jobs_beyond_those_that_are_looked_at_are_named_once_and_come_later() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let keeper = Gatekeeper::default();
    let gate = Arc::clone(&keeper.0);
    let slow = Watched::new(move |call| {
        if matches!(call, Call::Prepare(..)) {
            gate.wait();
        }
        pass()
    });
    // One place, and 64 that are judged meanwhile.
    let limits = Limits { max_jobs: 1, ..scene.limits() };
    let parts = scene.parts("node", scene.chain.clone(), data.path());
    let (client, mut jobs) = (scene.client(), Vec::new());
    for _ in 0..67 {
        jobs.push(client.post_job(&scene.offer, &model::request(1)).await.unwrap().job);
    }
    let node = Running::start(Arc::new(Worker::new(WorkerParts { compute: slow, limits, ..parts })));
    let named = || node.worker.metrics().refusals("crowded");
    until("two are passed over", || named() == 2).await;
    // Many looks later it is no news.
    tokio::time::sleep(20 * POLL).await;
    assert_eq!(named(), 2);
    keeper.open();
    until("one is answered", || jobs.iter().any(|job| scene.job(job).state().unwrap() == JobState::Agreed)).await;
    node.stop().await;
}
