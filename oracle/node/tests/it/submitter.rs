//! Whatever gets lost on the way, a transaction lands at most once and nobody is told that it failed when it did not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_client::chain::submitter::{prepare, resolve, resolve_within, submit};
use provena_client::chain::{Budget, ChainError, ChainSubmitter, send_and_confirm, send_within};
use provena_market::client::{self, Request};
use provena_market::fees::Work;
use provena_market::instruction;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::support::market::Scene;
use crate::support::meddle::{Call, Fate, Meddling};

/// Posting a job: money moves, and a second one with the same nonce cannot land.
fn post(scene: &Scene, units: u32) -> Instruction {
    post_by(scene, scene.payer.pubkey(), units)
}

fn post_by(scene: &Scene, payer: Pubkey, units: u32) -> Instruction {
    let offer = scene.chain.world(|world| world.state(&scene.offer));
    let most = Work::new(units, 0);
    let request = Request {
        nonce_slot: scene.chain.world(|world| world.slot()),
        nonce_index: 1,
        input_root: [5; 32],
        most,
        deposit: client::price(&offer, most).unwrap(),
        max_protocol_bps: 250,
    };
    client::post_job(payer, scene.offer, &offer, request, None)
}

fn posted(scene: &Scene) -> usize {
    scene.chain.count(instruction::PostJob::DISCRIMINATOR)
}

#[tokio::test]
async fn a_lost_answer_is_not_a_failure() {
    let scene = Scene::new(&[], 1, 1).await;
    let chain = Meddling::new(scene.chain.clone(), |call, _| match call {
        Call::Send => Fate::LoseAnswer,
        _ => Fate::Pass,
    });
    let done = send_and_confirm(&chain, &[post(&scene, 2)], &[&scene.payer]).await.unwrap();
    assert_eq!(posted(&scene), 1);
    assert!(scene.chain.signature_status(&done.signature).await.unwrap().unwrap().error.is_none());
}

#[tokio::test]
async fn a_lost_request_is_sent_again() {
    let scene = Scene::new(&[], 1, 1).await;
    let first = AtomicBool::new(true);
    let chain = Meddling::new(scene.chain.clone(), move |call, _| match call {
        Call::Send if first.swap(false, Ordering::SeqCst) => Fate::LoseRequest,
        _ => Fate::Pass,
    });
    send_and_confirm(&chain, &[post(&scene, 2)], &[&scene.payer]).await.unwrap();
    assert_eq!(posted(&scene), 1);
}

#[tokio::test]
async fn an_expired_transaction_is_safe_to_repeat() {
    let scene = Scene::new(&[], 1, 1).await;
    let chain = Meddling::new(scene.chain.clone(), |call, _| match call {
        Call::Send => Fate::LoseRequest,
        _ => Fate::Pass,
    });
    let pending = prepare(&chain, &[post(&scene, 2)], &[&scene.payer], Budget::default()).await.unwrap();
    scene.chain.advance(1_000);
    let error = submit(&chain, &pending).await.unwrap_err();
    assert!(matches!(error, ChainError::Expired { signature } if signature == pending.signature()), "{error}");
    assert_eq!(posted(&scene), 0);
    send_and_confirm(scene.chain.as_ref(), &[post(&scene, 2)], &[&scene.payer]).await.unwrap();
    assert_eq!(posted(&scene), 1);
}

#[tokio::test]
async fn a_silent_server_makes_it_unknown_never_failed() {
    let scene = Scene::new(&[], 1, 1).await;
    let answers = Arc::new(AtomicUsize::new(0));
    let seen = answers.clone();
    let chain = Meddling::new(scene.chain.clone(), move |call, _| match call {
        Call::Status | Call::Height => Fate::LoseRequest,
        Call::Send => {
            seen.fetch_add(1, Ordering::SeqCst);
            Fate::LoseAnswer
        }
        _ => Fate::Pass,
    });
    let pending = prepare(&chain, &[post(&scene, 2)], &[&scene.payer], Budget::default()).await.unwrap();
    drop(chain.send(&pending.transaction).await);
    let error = resolve_within(&chain, &pending, Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(error, ChainError::Unknown { .. }) && error.is_transient(), "{error}");
    // It had landed; asking again with a working server finds it, and nothing is sent twice.
    resolve(scene.chain.as_ref(), &pending).await.unwrap();
    assert_eq!((posted(&scene), answers.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn sending_twice_lands_once() {
    let scene = Scene::new(&[], 1, 1).await;
    let pending = prepare(scene.chain.as_ref(), &[post(&scene, 2)], &[&scene.payer], Budget::default()).await.unwrap();
    let first = submit(scene.chain.as_ref(), &pending).await.unwrap();
    let second = submit(scene.chain.as_ref(), &pending).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(posted(&scene), 1);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_programs_own_words() {
    let scene = Scene::new(&[], 1, 1).await;
    let error = send_within(scene.chain.as_ref(), &[post(&scene, 65)], &[&scene.payer], Budget::units(50_000))
        .await
        .unwrap_err();
    let refusal = error.rejection().unwrap();
    assert_eq!(refusal.program, Some(provena_market::ID));
    assert_eq!(refusal.name.as_deref(), Some("TooManyUnits"));
    assert_eq!(
        error.to_string(),
        "the market program refused (TooManyUnits): More units than the offer or the job allows."
    );
    assert_eq!(posted(&scene), 0);
}

#[tokio::test]
async fn a_refusal_deep_inside_names_the_program_that_refused() {
    let scene = Scene::new(&[], 1, 1).await;
    let stranger = solana_keypair::Keypair::new();
    let error = send_and_confirm(scene.chain.as_ref(), &[post(&scene, 1)], &[&stranger]).await.unwrap_err();
    // The stranger's wallet is empty, so the runtime refuses before any program runs; or the signature is missing.
    assert!(matches!(error, ChainError::Build(_) | ChainError::Rejected(_)), "{error}");
    let poor = solana_keypair::Keypair::new();
    scene.chain.airdrop(&poor.pubkey(), 2_000_000).await.unwrap();
    let post = post_by(&scene, poor.pubkey(), 1);
    let error = send_and_confirm(scene.chain.as_ref(), &[post], &[&poor]).await.unwrap_err();
    let refusal = error.rejection().unwrap();
    assert_eq!(refusal.program, Some(Pubkey::default()), "the system program: {error}");
}
