//! Models that come slowly, cannot be measured, or take the process with them: nobody else is held up, and no bond depends
//! on one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_client::store::Limits;
use provena_market::instruction;
use provena_market::state::JobState;
use provena_node::blobs::{Blobs, Quotas};
use provena_node::compute::ComputeError;
use provena_node::tasks::{Worker, WorkerParts, submit::Outcome};
use provena_tests::market::STAKE;
use solana_pubkey::Pubkey;
use tokio_util::sync::CancellationToken;

use crate::support::market::Scene;
use crate::support::model;
use crate::support::serving::names;
use crate::support::slow_store::SlowStore;
use crate::support::watched::{Call, Watched, pass};
use crate::support::{ROOM, folder_url};

/// A node of the scene with a store of its own.
pub(crate) fn storing(scene: &Scene, data: &Path, quotas: Quotas, url: &str) -> Arc<Worker> {
    let store = Blobs::open(&data.join("blobs"), quotas, &[url.to_owned()], Limits::default()).unwrap();
    let parts = scene.parts("node", scene.chain.clone(), data);
    Arc::new(Worker::new(WorkerParts { private: store.private(), store, ..parts }))
}

async fn drive(worker: &Worker, job: &Pubkey) -> Outcome {
    worker.drive(job, &CancellationToken::new()).await.unwrap()
}

/// A server that drips a model held the one turn to load, and with it every job and every quote for another model.
#[tokio::test]
async fn a_model_that_drips_holds_up_no_other() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let slow: Vec<_> = [1, 2, 3].map(model::another).into();
    let offers: Vec<_> =
        slow.iter().zip(["one", "two", "three"]).map(|(one, name)| scene.offer_of(one, name)).collect();
    let roots: Vec<_> = slow.iter().map(|slow| slow.content_root()).collect();
    let store = SlowStore::start(&scene.shared, &roots, 100).await;
    let worker = storing(&scene, data.path(), ROOM, &store.url);
    let mut waiting = Vec::new();
    for offer in &offers {
        let job = scene.client().post_job(offer, &model::request(1)).await.unwrap().job;
        let worker = Arc::clone(&worker);
        waiting.push(tokio::spawn(async move { drive(&worker, &job).await }));
    }
    while store.asked() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let request = model::request(2);
    let posted = scene.client().post_job(&scene.offer, &request).await.unwrap();
    let terms = scene.chain.world(|world| world.state(&scene.offer));
    let quoted = worker.quote(&terms, request.to_bytes().into());
    // Nothing here ends by itself before the slow ones are given up.
    tokio::select! {
        answered = async { (quoted.await, drive(&worker, &posted.job).await) } => {
            assert!(answered.0.is_ok(), "{:?}", answered.0);
            assert_eq!(answered.1, Outcome::AwaitsPay);
        }
        _ = futures_util::future::select_all(&mut waiting) => panic!("the other waited for the one that drips"),
    }
    assert!(waiting.iter().all(|job| !job.is_finished()));
    // What waits for them holds no place.
    assert_eq!(worker.ledger().places(), 0);
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 1);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Where nobody knows how long an answer takes, a bond was staked on chance.
#[tokio::test]
async fn a_model_that_cannot_be_measured_is_left_alone() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    let unmeasurable = Watched::new(|call| match call {
        Call::WarmUp => Err(ComputeError::Engine("its answers have no end".to_owned())),
        _ => pass(),
    });
    let worker = scene.worker_computing("node", data.path(), unmeasurable);
    let Outcome::Declined(reason) = drive(&worker, &posted.job).await else { panic!("it was taken") };
    assert_eq!(reason, "the model cannot be measured, so nobody knows how long the job takes");
    assert_eq!(worker.metrics().refusals("too_long"), 1);
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
    assert_eq!(scene.job(&posted.job).state().unwrap(), JobState::Open);
    drop(worker);
    // Once it can be, it is taken.
    let worker = scene.worker_computing("node", data.path(), Watched::new(|_| pass()));
    assert_eq!(drive(&worker, &posted.job).await, Outcome::AwaitsPay);
}

/// A model that ends the process when it is loaded ended it again at each start.
#[tokio::test]
async fn a_model_that_kills_while_it_is_loaded_is_left_alone_after_two_attempts() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let other = model::another(1);
    let sound = scene.offer_of(&other, "a sound one");
    crate::support::folder_store(&scene.shared).put(other.bytes().to_vec()).await.unwrap();
    let deadly = model::artifact().content_root();
    let fragile = || {
        Watched::new(move |call| {
            assert!(!matches!(call, Call::Load(root) if *root == deadly), "this model kills");
            pass()
        })
    };
    let bad = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job;
    for expected in ["engine_failed", "engine_failed", "failed_before", "failed_before"] {
        let worker = scene.worker_computing("node", data.path(), fragile());
        let outcome = drive(&worker, &bad).await;
        assert!(matches!(outcome, Outcome::Declined(_)), "{outcome:?}");
        assert_eq!(worker.metrics().refusals(expected), 1, "{expected}: {outcome:?}");
    }
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
    let good = scene.client().post_job(&sound, &model::request(1)).await.unwrap().job;
    let worker = scene.worker_computing("node", data.path(), fragile());
    assert_eq!(drive(&worker, &good).await, Outcome::AwaitsPay);
}

/// What an answer needs in the store it keeps until it is paid, whatever else is computed, by the node as it runs and by the
/// one that is started after it. Where there is no room, nothing is taken.
#[tokio::test]
async fn an_answer_that_is_not_paid_is_pushed_out_by_nobody_also_after_a_restart() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    // Room for three answers, and not for the room that a fourth one may need.
    let quotas = Quotas { answers: 64 << 10, ..ROOM };
    let url = folder_url(&scene.shared);
    let answers = || names(&data.path().join("blobs/answers"));
    let payer = |name: &str| {
        let wallet = scene.chain.world(|world| world.wallet(name));
        provena_client::Client::new(scene.chain.clone(), crate::support::folder_store(&scene.shared), Arc::new(wallet))
    };
    let worker = storing(&scene, data.path(), quotas, &url);
    let mut jobs = Vec::new();
    for number in 1..=3 {
        let job = scene.client().post_job(&scene.offer, &model::request_from(number, 1)).await.unwrap().job;
        assert_eq!(drive(&worker, &job).await, Outcome::AwaitsPay);
        jobs.push(job);
    }
    let kept = answers();
    assert_eq!(kept.len(), 3);
    // Another payer's job, or the same one's.
    let fourth = payer("another").post_job(&scene.offer, &model::request_from(4, 1)).await.unwrap().job;
    let no_room = async |worker: &Worker| {
        let Outcome::Declined(reason) = drive(worker, &fourth).await else { panic!("it was taken") };
        assert!(reason.contains("do not fit into the 65536 bytes for answers"), "{reason}");
        assert_eq!(worker.metrics().refusals("no_room"), 1);
        assert!(answers().iter().all(|answer| kept.contains(answer)) && answers().len() == 3);
    };
    no_room(&worker).await;
    drop(worker);
    // The first thing that the next process does is to look at the fourth.
    let worker = storing(&scene, data.path(), quotas, &url);
    no_room(&worker).await;

    // One is paid, and makes room.
    scene.client().acknowledge(&jobs[0]).await.unwrap();
    let mut collector = provena_node::tasks::Collector::new(worker.clone(), Duration::from_millis(5));
    assert_eq!(collector.round().await.unwrap(), 2);
    assert_eq!(drive(&worker, &fourth).await, Outcome::AwaitsPay);
    let now = answers();
    assert_eq!((now.len(), now.iter().filter(|answer| kept.contains(answer)).count()), (3, 2));
    let unpaid = jobs[1..].iter().map(|job| hex::encode(scene.job(job).winner().unwrap().value));
    assert!(unpaid.into_iter().all(|answer| now.contains(&answer)));
    assert_eq!((scene.node("node").stake, scene.node("node").forfeited), (STAKE, 0));
}
