//! After the claim the stake is at risk: marks of what failed badly before stop nothing then, what is prepared again does not
//! take all of the machine, and strangers' quotes keep nothing from the job.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use provena_client::view::JobView;
use provena_engine::artifact::Artifact;
use provena_market::client;
use provena_market::state::JobState;
use provena_node::compute::TimeLimit;
use provena_node::tasks::{Worker, submit::Outcome};
use provena_tests::market::STAKE;
use provena_tests::world::keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use crate::models::storing;
use crate::support::market::Scene;
use crate::support::slow_store::SlowStore;
use crate::support::watched::{Call, Gatekeeper, Inside, Watched, pass};
use crate::support::{ROOM, model};
use crate::watch::until;

/// A job in which the chain shows the node, which has nothing of it in hand: as after a restart.
async fn claimed(scene: &Scene, images: usize) -> Pubkey {
    let job = scene.client().post_job(&scene.offer, &model::request(images)).await.unwrap().job;
    scene.chain.world(|world| {
        let node = keypair("node");
        let view = JobView::decode(&job, &world.account(&job).unwrap()).unwrap();
        world.accept(&[client::take_seat(node.pubkey(), job, 0, view.job.terms_hash, 0)], &[&node]);
    });
    job
}

async fn drive(worker: &Worker, job: &Pubkey) -> Outcome {
    let driven = tokio::time::timeout(Duration::from_secs(20), worker.drive(job, &CancellationToken::new())).await;
    driven.expect("the claimed job is answered").expect("the crash log works")
}

/// Strangers' quotes end the engine's thread until the mark says no to them; then the engine is sound again, and the job that
/// was claimed before is driven.
async fn answered_after_bad_quotes(kills: fn(Call<'_>) -> bool) {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let job = claimed(&scene, 2).await;
    let fragile = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&fragile);
    let engine = Watched::new(move |call| {
        assert!(!(still.load(Ordering::SeqCst) && kills(call)), "this call kills");
        pass()
    });
    let worker = scene.worker_computing("node", data.path(), engine);
    let terms = scene.terms(&scene.offer);
    let quote = async || worker.quote(&terms, model::request(2).to_bytes().into()).await.map_err(|no| no.name());
    for expected in ["engine_failed", "engine_failed", "failed_before"] {
        assert_eq!(quote().await.unwrap_err(), expected);
    }
    fragile.store(false, Ordering::SeqCst);
    assert_eq!(quote().await.unwrap_err(), "failed_before", "the mark holds for who has not paid");
    assert_eq!(drive(&worker, &job).await, Outcome::AwaitsPay);
    assert_eq!(scene.job(&job).state().unwrap(), JobState::Agreed);
    assert_eq!((scene.node("node").stake, scene.node("node").forfeited), (STAKE, 0));
}

#[tokio::test]
async fn a_model_that_is_marked_is_loaded_for_a_job_that_is_claimed() {
    answered_after_bad_quotes(|call| matches!(call, Call::Load(_))).await;
}

#[tokio::test]
async fn a_request_that_is_marked_is_prepared_for_a_job_that_is_claimed() {
    answered_after_bad_quotes(|call| matches!(call, Call::Prepare(..))).await;
}

/// A payer with many large requests had all of them in memory at once when the node came back.
#[tokio::test]
async fn after_a_restart_requests_are_prepared_again_two_at_a_time() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let mut jobs = Vec::new();
    for images in 1..=6 {
        jobs.push(claimed(&scene, images).await);
    }
    let (inside, gate) = (Inside::default(), Gatekeeper::default());
    let (entered, held) = (inside.clone(), gate.0.clone());
    let engine = Watched::new(move |call| match call {
        Call::Prepare(_, TimeLimit::Lifted) => {
            let here = entered.enter();
            held.wait();
            Ok(here)
        }
        _ => pass(),
    });
    let worker = scene.worker_computing("node", data.path(), engine);
    let watched = async {
        until("two are being prepared", || inside.now() == 2).await;
        // The others would be here by now.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let ever = inside.ever();
        gate.open();
        ever
    };
    let (outcomes, ever) = tokio::join!(join_all(jobs.iter().map(|job| drive(&worker, job))), watched);
    assert_eq!((ever, inside.most(), inside.ever()), (2, 2, 6));
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::AwaitsPay), "{outcomes:?}");
}

/// A store sends four blobs at the same time, and a stranger asks for quotes on eight offers whose models it only drips: they
/// take two places of it, so that the model of a claimed job comes.
#[tokio::test]
async fn quotes_for_eight_slow_models_keep_no_claimed_job_from_its_model() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let job = claimed(&scene, 1).await;
    let slow: Vec<Artifact> = (1..=8).map(model::another).collect();
    let roots: Vec<_> = slow.iter().map(Artifact::content_root).collect();
    let store = SlowStore::start(&scene.shared, &roots, 4).await;
    let worker = storing(&scene, data.path(), ROOM, &store.url);
    let mut quotes = Vec::new();
    for (number, artifact) in slow.iter().enumerate() {
        let terms = scene.terms(&scene.offer_of(artifact, &format!("slow {number}")));
        let worker = Arc::clone(&worker);
        quotes.push(tokio::spawn(async move {
            let quoted = worker.quote(&terms, model::request(1).to_bytes().into()).await;
            quoted.map_err(|no| no.name())
        }));
    }
    let taken = || quotes.iter().filter(|quote| quote.is_finished()).count() + store.asked();
    until("each quote has what it gets", || taken() == 8).await;
    // The quotes give up after eight seconds.
    let driven = tokio::time::timeout(Duration::from_secs(5), drive(&worker, &job)).await;
    assert_eq!(driven.expect("it waits for no quote"), Outcome::AwaitsPay);
    let (refused, waiting): (Vec<_>, Vec<_>) = quotes.into_iter().partition(|quote| quote.is_finished());
    assert_eq!((store.asked(), waiting.len()), (2, 2), "what is dripped is still waited for");
    for refused in join_all(refused).await {
        assert_eq!(refused.unwrap().unwrap_err(), "busy");
    }
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}
