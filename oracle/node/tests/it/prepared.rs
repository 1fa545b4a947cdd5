//! Requests are made ready once, before the claim; nothing that may say no comes after it, and who asks cannot take the places or
//! the marks of others by going away.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_engine::artifact::Artifact;
use provena_market::{client, instruction, state::JobState};
use provena_node::compute::{ComputeError, TimeLimit};
use provena_node::tasks::{Worker, WorkerParts, submit::Outcome};
use provena_tests::market::STAKE;
use provena_tests::world::keypair;
use provena_wire::{Generate, Message, Prompt, Request, Sampling, Units};
use reqwest::StatusCode;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use crate::support::market::Scene;
use crate::support::meddle::{Call as ChainCall, Fate, Meddling};
use crate::support::serving::Served;
use crate::support::watched::{Call, Gatekeeper, Inside, Watched, pass};
use crate::support::{folder_url, model, tiny_llama};
use crate::watch::until;

async fn drive(worker: &Worker, job: &Pubkey) -> Outcome {
    let driven = tokio::time::timeout(Duration::from_secs(30), worker.drive(job, &CancellationToken::new())).await;
    driven.expect("the node finishes").expect("the crash log works")
}

/// An engine that counts how often a request is prepared, with and without a limit of time.
fn counting() -> (Arc<Watched>, Arc<[AtomicUsize; 2]>) {
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let counted = counts.clone();
    let engine = Watched::new(move |call| {
        if let Call::Prepare(_, limit) = call {
            counted[usize::from(limit == TimeLimit::Lifted)].fetch_add(1, Ordering::SeqCst);
        }
        pass()
    });
    (engine, counts)
}

fn both(counts: &[AtomicUsize; 2]) -> (usize, usize) {
    (counts[0].load(Ordering::SeqCst), counts[1].load(Ordering::SeqCst))
}

fn conversation() -> Request {
    let message = Message { role: "user".to_owned(), content: "w9 w8 w7".to_owned() };
    let sampling = Sampling { temperature_milli: 900, top_k: 40, top_p_milli: 950, seed: 5 };
    Request::Generate(Generate { prompt: Prompt::Chat(vec![message]), max_tokens: 12, sampling, stop: Vec::new() })
}

#[tokio::test]
async fn a_request_is_prepared_once_for_its_job_and_its_answer_is_the_references() {
    let llama = tiny_llama::random(&tiny_llama::recipe(), 11);
    let cases: [(Artifact, Request); 2] = [(model::artifact(), model::request(3)), (llama, conversation())];
    for (artifact, request) in cases {
        for take_first in [true, false] {
            let mut scene = Scene::serving(&artifact).await;
            scene.take_first = take_first;
            let data = tempfile::tempdir().unwrap();
            let (engine, counts) = counting();
            let worker = scene.worker_computing("node", data.path(), engine);
            // What is asked for a quote is another question.
            worker.quote(&scene.terms(&scene.offer), request.to_bytes().into()).await.unwrap();
            assert_eq!(both(&counts), (1, 0));
            let client = scene.client().with_units(Some(Units::new(20, 12)));
            let posted = client.post_job(&scene.offer, &request).await.unwrap();
            assert_eq!(drive(&worker, &posted.job).await, Outcome::AwaitsPay);
            assert_eq!(both(&counts), (2, 0), "{request:?}, the seat first: {take_first}");
            let job = scene.job(&posted.job);
            assert_eq!(job.state().unwrap(), JobState::Agreed);
            let expected = provena_engine::reference::run(&artifact, &request).unwrap();
            assert_eq!(scene.client().response(&job).await.unwrap(), expected);
        }
    }
}

/// An engine on a machine that is too busy to prepare anything within its time, once `after` requests were.
fn busy(after: usize) -> (Arc<Watched>, Arc<AtomicUsize>) {
    let (prepared, unhurried) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let counted = unhurried.clone();
    let engine = Watched::new(move |call| match call {
        Call::Prepare(_, TimeLimit::Bounded) if prepared.fetch_add(1, Ordering::SeqCst) >= after => {
            Err(ComputeError::Request("preparing it takes more than 10 s".to_owned()))
        }
        Call::Prepare(_, TimeLimit::Lifted) => {
            counted.fetch_add(1, Ordering::SeqCst);
            pass()
        }
        _ => pass(),
    });
    (engine, unhurried)
}

/// A bond lost by making the machine busy after the claim: nothing that may refuse stands between the seat and the answer.
#[tokio::test]
async fn a_machine_that_becomes_busy_after_the_claim_costs_no_bond() {
    let mut scene = Scene::new(&["node"], 1, 1).await;
    scene.take_first = true;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(3)).await.unwrap();
    let (engine, unhurried) = busy(1);
    let worker = scene.worker_computing("node", data.path(), engine);
    assert_eq!(drive(&worker, &posted.job).await, Outcome::AwaitsPay);
    assert_eq!(scene.job(&posted.job).state().unwrap(), JobState::Agreed);
    assert_eq!((scene.node("node").forfeited, unhurried.load(Ordering::SeqCst)), (0, 0));
}

/// The same after a restart, where the request must be prepared again: however long that takes.
#[tokio::test]
async fn a_machine_that_is_busy_after_a_restart_costs_no_bond() {
    let mut scene = Scene::new(&["node"], 1, 1).await;
    scene.take_first = true;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(3)).await.unwrap();
    {
        // It dies when the seat is taken.
        let rule = |call, _| if call == ChainCall::Send { Fate::KillAfter } else { Fate::Pass };
        let chain = Arc::new(Meddling::new(scene.chain.clone(), rule));
        let worker = scene.worker("node", chain.clone(), data.path());
        tokio::select! {
            _ = drive(&worker, &posted.job) => panic!("it lived"),
            () = chain.killed() => {}
        }
    }
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 1);
    let (engine, unhurried) = busy(0);
    let worker = scene.worker_computing("node", data.path(), engine);
    assert_eq!(drive(&worker, &posted.job).await, Outcome::AwaitsPay);
    assert_eq!(scene.job(&posted.job).state().unwrap(), JobState::Agreed);
    assert_eq!((scene.node("node").forfeited, unhurried.load(Ordering::SeqCst)), (0, 1));
}

/// An engine in which requests are being prepared until the gate opens.
fn gated() -> (Arc<Watched>, Inside, Gatekeeper) {
    let (inside, gate) = (Inside::default(), Gatekeeper::default());
    let (entered, held) = (inside.clone(), gate.0.clone());
    let engine = Watched::new(move |call| match call {
        Call::Prepare(..) => {
            let here = entered.enter();
            held.wait();
            Ok(here)
        }
        _ => pass(),
    });
    (engine, inside, gate)
}

/// Whether no request is marked as one that failed badly.
fn unmarked(data: &Path) -> bool {
    std::fs::read(data.join("attempts")).unwrap().iter().all(|byte| *byte == 0)
}

/// Callers who ask for quotes and hang up: their places are taken for as long as their requests are prepared, so that there are
/// never more threads than places, and free after it; and no request is held against anybody.
#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_takes_no_place_of_preparing_for_longer_than_the_work_and_for_no_less() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let (engine, inside, gate) = gated();
    let sections = format!("[store]\nurls = [{:?}]\n", folder_url(&scene.shared));
    let served = Served::start_computing(scene.chain.clone(), folder.path(), &sections, engine).await;
    let ask = |images: usize| {
        let url = served.url(&format!("/v1/quotes/{}", scene.offer));
        served.http.post(url).body(model::request(images).to_bytes())
    };
    for round in 0..2 {
        for images in [1, 2] {
            let hung_up = ask(images).timeout(Duration::from_millis(400)).send().await.unwrap_err();
            assert!(hung_up.is_timeout(), "{hung_up}");
        }
        // The second time both places are still taken.
        assert_eq!((inside.now(), inside.ever()), (2, 2), "round {round}");
    }
    assert_eq!(ask(1).send().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((inside.now(), inside.most()), (2, 2));

    gate.open();
    until("the work is done", || inside.now() == 0).await;
    for images in [1, 2, 1, 2, 1] {
        assert_eq!(ask(images).send().await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(inside.most(), 2);
    assert!(unmarked(&folder.path().join("provena-node")));
    served.stop().await;
}

/// Others' impatience marks nothing: the same request is asked about by callers who go away, at the same time by one who stays,
/// and by a job.
#[tokio::test]
async fn a_request_is_not_held_against_anybody_because_others_went_away_or_asked_at_the_same_time() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let (engine, inside, gate) = gated();
    let worker = scene.worker_computing("node", data.path(), engine);
    let terms = scene.terms(&scene.offer);
    let ask = || worker.quote(&terms, model::request(2).to_bytes().into());
    // For the third one there is no place.
    for expected in [1, 2, 2] {
        let gone = tokio::time::timeout(Duration::from_millis(200), ask()).await;
        assert!(gone.is_err(), "{gone:?}");
        assert_eq!(inside.now(), expected);
    }
    let job = scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap().job;
    let everybody_is_here = async {
        until("all are being prepared", || inside.now() == 3).await;
        gate.open();
    };
    let (quoted, answered, ()) = tokio::join!(ask(), drive(&worker, &job), everybody_is_here);
    assert_eq!((quoted.unwrap().units_in, answered), (2, Outcome::AwaitsPay));
    until("the work is done", || inside.now() == 0).await;
    assert!(unmarked(data.path()));
    // It may be asked about as often as one likes.
    for _ in 0..5 {
        ask().await.unwrap();
    }
}

/// Measuring a model takes a place of computing: where there is one, nothing is computed beside it.
#[tokio::test]
async fn a_warm_up_takes_a_place_of_computing() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let (inside, gate, again) = (Inside::default(), Gatekeeper::default(), Arc::new(AtomicUsize::new(0)));
    let (entered, held, prepared) = (inside.clone(), gate.0.clone(), again.clone());
    let compute = Watched::new(move |call| match call {
        Call::WarmUp => {
            let here = entered.enter();
            held.wait();
            Ok(here)
        }
        Call::Run => Ok(entered.enter()),
        Call::Prepare(_, TimeLimit::Lifted) => {
            prepared.fetch_add(1, Ordering::SeqCst);
            pass()
        }
        _ => pass(),
    });
    let parts = scene.parts("node", scene.chain.clone(), data.path());
    let worker = Arc::new(Worker::new(WorkerParts { compute, max_computing: 1, ..parts }));
    // One job has its seat already, and needs no more than a place of computing.
    let post = async || scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job;
    let (taken, open) = (post().await, post().await);
    scene.chain.world(|world| {
        let node = keypair("node");
        let view = provena_client::view::JobView::decode(&taken, &world.account(&taken).unwrap()).unwrap();
        world.accept(&[client::take_seat(node.pubkey(), taken, 0, view.job.terms_hash, 0)], &[&node]);
    });
    let both = async {
        until("the model is being measured", || inside.now() == 1).await;
        let computing = drive(&worker, &taken);
        let patience = async {
            until("the other one is ready to be computed", || again.load(Ordering::SeqCst) == 1).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = inside.now();
            gate.open();
            now
        };
        tokio::join!(computing, patience)
    };
    let (measured, (computed, now)) = tokio::join!(drive(&worker, &open), both);
    assert_eq!((measured, computed), (Outcome::AwaitsPay, Outcome::AwaitsPay));
    assert_eq!((now, inside.most()), (1, 1));
    assert_eq!(scene.node("node").stake, STAKE);
}

/// A node that was told to stop while it prepared something counted that as an attempt that killed it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_good_order_is_held_against_no_request() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let (engine, inside, gate) = gated();
    let sections = format!("[store]\nurls = [{:?}]\n", folder_url(&scene.shared));
    let served = Served::start_computing(scene.chain.clone(), folder.path(), &sections, engine).await;
    let url = served.url(&format!("/v1/quotes/{}", scene.offer));
    let asked = tokio::spawn(served.http.post(url).body(model::request(1).to_bytes()).send());
    while inside.now() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let data = folder.path().join("provena-node");
    assert!(!unmarked(&data), "it is being prepared");
    served.stop().await;
    assert!(unmarked(&data) && inside.now() == 1);
    gate.open();
    drop(asked.await);
}
