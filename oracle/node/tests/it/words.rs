//! Models of words: what is paid for, what is refused before it costs anything, work that nobody waits for.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_client::ClientError;
use provena_engine::artifact::Artifact;
use provena_market::instruction;
use provena_market::state::JobState;
use provena_node::compute::{Compute, ComputeError, EngineCompute, TimeLimit};
use provena_node::journal::End;
use provena_node::journal::{FILE_NAME, Journal};
use provena_node::tasks::{Limits, submit::Outcome};
use provena_wire::{Generate, Prompt, Request, Response, Sampling, Units};
use solana_pubkey::Pubkey;
use tokio_util::sync::CancellationToken;

use crate::support::market::{BASE, PRICE, PRICE_OUT, Scene};
use crate::support::tiny_llama;

fn artifact() -> Artifact {
    tiny_llama::random(&tiny_llama::recipe(), 11)
}

fn request(text: &str, max_tokens: u32, seed: u64) -> Request {
    let sampling = Sampling { temperature_milli: 900, top_k: 40, top_p_milli: 950, seed };
    Request::Generate(Generate { prompt: Prompt::Text(text.to_owned()), max_tokens, sampling, stop: Vec::new() })
}

/// An engine with the artifact loaded.
fn loaded(artifact: &Artifact) -> EngineCompute {
    let compute = EngineCompute::open("cpu", 1 << 30).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), artifact.bytes()).unwrap();
    compute.load(&artifact.content_root(), &artifact.recipe_root(), file.path()).unwrap();
    compute
}

async fn drive(scene: &Scene, job: &Pubkey) -> Outcome {
    let data = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    scene.live(&worker, job).await
}

#[tokio::test]
async fn a_text_is_paid_for_by_the_token_and_the_rest_comes_back() {
    let artifact = artifact();
    let scene = Scene::serving(&artifact).await;
    let asked = request("w7 w8 w9", 20, 5);
    let posted = scene.client().post_job(&scene.offer, &asked).await.unwrap();
    assert_eq!(posted.units, Units::new(8 + 1, 20), "a token for each byte of the prompt, a mark; and the answer");
    assert_eq!(posted.deposit, BASE + 9 * PRICE + 20 * PRICE_OUT);
    assert_eq!(drive(&scene, &posted.job).await, Outcome::Ended(End::Settled));

    let job = scene.job(&posted.job);
    assert_eq!(job.state().unwrap(), JobState::Agreed);
    let response = scene.client().response(&job).await.unwrap();
    assert_eq!(response, provena_engine::reference::run(&artifact, &asked).unwrap());
    let Response::Generate { prompt_tokens, tokens, .. } = &response else { panic!("{response:?}") };
    assert_eq!(*prompt_tokens, 3);
    assert!((1..=20).contains(&tokens.len()));
    let (winner, out) = (job.winner().unwrap(), u32::try_from(tokens.len()).unwrap());
    assert_eq!((winner.units_in, winner.units_out), (3, out));
    let refund = 6 * PRICE + u64::from(20 - out) * PRICE_OUT;
    assert_eq!(job.split().unwrap().refund.0, refund);
    assert_eq!(job.fee().unwrap().0, BASE + 3 * PRICE + u64::from(out) * PRICE_OUT);
}

#[tokio::test]
async fn a_payer_who_knows_the_tokens_pays_for_no_more() {
    let scene = Scene::serving(&artifact()).await;
    let asked = request("w7 w8 w9", 4, 5);
    let post = async |units| scene.client().with_units(Some(units)).post_job(&scene.offer, &asked).await.unwrap();
    let posted = post(Units::new(3, 4)).await;
    assert_eq!(posted.deposit, BASE + 3 * PRICE + 4 * PRICE_OUT);
    assert_eq!(drive(&scene, &posted.job).await, Outcome::Ended(End::Settled));

    // Neither side makes up for the other.
    for paid in [Units::new(2, 60), Units::new(60, 3)] {
        let posted = post(paid).await;
        let Outcome::Declined(reason) = drive(&scene, &posted.job).await else { panic!("it was not paid for") };
        assert_eq!(reason, format!("the request can take 3 in, 4 out units, the job pays for {paid}"));
    }
}

#[tokio::test]
async fn post_job_rejects_more_than_the_offer_allows_and_nothing_at_all() {
    let scene = Scene::serving(&artifact()).await;
    let post = async |asked: &Request, units| {
        scene.client().with_units(units).post_job(&scene.offer, asked).await.unwrap_err()
    };
    let most = Units::new(64, 64);
    for (asked, units) in
        [(request("w7", 100, 0), Units::new(3, 100)), (request(&"w7 ".repeat(30), 9, 0), Units::new(91, 9))]
    {
        let error = post(&asked, None).await;
        assert!(
            matches!(error, ClientError::TooManyUnits { asked, most: allowed } if asked == units && allowed == most),
            "{error}"
        );
    }
    for (asked, units) in [(request("w7", 0, 0), None), (request("w7", 3, 0), Some(Units::ZERO))] {
        let error = post(&asked, units).await;
        assert!(matches!(error, ClientError::Empty), "{error}");
    }
}

#[tokio::test]
async fn a_text_that_the_model_cannot_take_is_never_taken() {
    let scene = Scene::serving(&artifact()).await;
    let long = vec!["w2"; 101].join(" ");
    let bad = |sampling| {
        Request::Generate(Generate { prompt: Prompt::Text("w2".to_owned()), max_tokens: 1, sampling, stop: Vec::new() })
    };
    for (asked, words) in [
        (request(&long, 5, 0), "has 101 tokens; the model takes at most 100"),
        (request("", 5, 0), "the prompt is empty"),
        (bad(Sampling { top_p_milli: 1_001, ..Sampling::GREEDY }), "top-p is 1001 thousandths"),
        (Request::Embed { texts: vec!["w2".to_owned()] }, "this model generates text"),
    ] {
        let posted = scene.client().with_units(Some(Units::new(60, 60))).post_job(&scene.offer, &asked).await.unwrap();
        let Outcome::Declined(reason) = drive(&scene, &posted.job).await else { panic!("{words}: it was taken") };
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn texts_at_the_same_time_get_the_answers_they_get_alone() {
    let artifact = artifact();
    let root = artifact.content_root();
    let compute = Arc::new(loaded(&artifact));
    let asked: Vec<Request> =
        (0..12).map(|n| request(&format!("w{} w3 w{}", n + 2, 90 - n), 5 + n, u64::from(n))).collect();
    let running: Vec<_> = asked
        .iter()
        .map(|asked| {
            let (compute, bytes) = (Arc::clone(&compute), asked.to_bytes());
            thread::spawn(move || {
                let prepared = compute.prepare(&root, &bytes, TimeLimit::Bounded).unwrap();
                compute.run(&root, &prepared, &CancellationToken::new()).unwrap()
            })
        })
        .collect();
    for (asked, running) in asked.iter().zip(running) {
        let computed = running.join().unwrap();
        let alone = provena_engine::reference::run(&artifact, asked).unwrap();
        assert_eq!((computed.response, computed.units), (alone.to_bytes(), alone.units()));
    }
}

/// A model whose answers would take minutes, and nothing ends them.
fn talker() -> Artifact {
    let mut recipe = tiny_llama::recipe();
    (recipe.positions, recipe.stops) = (60_000, Vec::new());
    tiny_llama::random(&recipe, 12)
}

#[tokio::test]
async fn a_result_that_cannot_be_in_time_is_given_up() {
    let scene = Scene::serving(&talker()).await;
    // It seemed to have hours: its speed is measured on a machine that does much else.
    let window = 1_500_000;
    let offer = scene.offer_with(|terms| (terms.max_output_units, terms.commit_window) = (60_000, window));
    let posted = scene.client().post_job(&offer, &request("w7", 59_000, 1)).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let limits = Limits { max_windows: u64::MAX, ..scene.limits() };
    let worker = scene.worker_within("node", scene.chain.clone(), data.path(), limits);
    let working = tokio::spawn(async move { worker.drive(&posted.job, &CancellationToken::new()).await.unwrap() });
    while scene.chain.count(instruction::TakeSeat::DISCRIMINATOR) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    scene.chain.advance(u64::from(window) + 1);
    let outcome = working.await.unwrap();
    assert!(matches!(outcome, Outcome::Ended(End::Abandoned(_))), "{outcome:?}");
    let node = scene.node("node");
    assert_eq!((node.locked, node.forfeited), (0, 1));
    let [(_, record)] = &Journal::open(&data.path().join(FILE_NAME)).unwrap().at(&posted.job)[..] else { panic!() };
    assert_eq!(record.computed, None);
}

#[tokio::test]
async fn a_job_that_is_too_long_for_its_window_is_left_alone_and_a_short_one_served() {
    let scene = Scene::serving(&talker()).await;
    let offer = scene.offer_with(|terms| terms.max_output_units = 60_000);
    let data = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let closing = CancellationToken::new();
    let long = scene.client().post_job(&offer, &request("w7", 59_000, 1)).await.unwrap();
    let outcome = worker.drive(&long.job, &closing).await.unwrap();
    let Outcome::Declined(reason) = outcome else { panic!("it was taken: {outcome:?}") };
    // Of the window's 160 slots 10 are for transactions.
    assert!(reason.starts_with("the job needs about "), "{reason}");
    assert!(reason.ends_with(" s and its window leaves 60 s"), "{reason}");
    assert_eq!(worker.metrics().refusals("too_long"), 1);
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
    assert_eq!((scene.node("node").locked, scene.node("node").forfeited), (0, 0));

    // One for which there is time is not held up by it.
    let short = scene.client().post_job(&offer, &request("w7", 3, 1)).await.unwrap();
    assert_eq!(worker.drive(&short.job, &closing).await.unwrap(), Outcome::AwaitsPay);
    scene.client().acknowledge(&short.job).await.unwrap();
    scene.collect(&worker, false).await;
    assert_eq!((scene.node("node").forfeited, scene.node("node").agreed), (0, 1));
    assert_eq!(worker.metrics().refusals("too_long"), 1);

    // The payer has the deposit back, all of it.
    assert_eq!(scene.job(&long.job).state().unwrap(), JobState::Open);
    let before = scene.balance("payer");
    scene.client().cancel(&long.job).await.unwrap();
    let job = scene.job(&long.job);
    assert_eq!((job.state().unwrap(), job.split().unwrap().refund.0), (JobState::Cancelled, long.deposit));
    assert_eq!(scene.balance("payer"), before + long.deposit - 5_000);
}

#[test]
fn work_that_nobody_waits_for_stops() {
    let artifact = talker();
    let root = artifact.content_root();
    let compute = Arc::new(loaded(&artifact));
    let given_up = CancellationToken::new();
    let (working, cancelled) = (Arc::clone(&compute), given_up.clone());
    let prepare = |asked: Request| compute.prepare(&root, &asked.to_bytes(), TimeLimit::Bounded).unwrap();
    let (long, short) = (prepare(request("w7", 50_000, 1)), prepare(request("w7", 2, 1)));
    let work = thread::spawn(move || working.run(&root, &long, &cancelled));
    thread::sleep(Duration::from_millis(100));
    given_up.cancel();
    let stopped = work.join().unwrap();
    assert!(matches!(stopped, Err(ComputeError::GivenUp)), "{stopped:?}");
    // The model goes on serving others.
    compute.run(&root, &short, &CancellationToken::new()).unwrap();
}
