//! The payer's side against the real programs and the real node: an answer, everybody paid, the rent back, whatever happens.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::Discriminator;
use ed25519_dalek::SigningKey;
use provena_arith::receipt::Receipt;
use provena_client::receipt::{ReceiptMismatch, check_history};
use provena_client::{Client, ClientError, Stage};
use provena_market::constants::{ANSWER_WINDOW, SETTLE_AFTER};
use provena_market::state::{JobState, Next, job::flag};
use provena_market::{client as market, instruction, pda};
use provena_node::journal::End;
use provena_node::tasks::submit::Outcome;
use provena_node::tasks::{Collector, Worker};
use provena_tests::market::{CLUSTER, MIN_STAKE, STAKE};
use provena_tests::world::keypair;
use provena_wire::{Request, receipt};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use crate::support::market::{BOND, Scene, WINDOW};
use crate::support::meddle::{Fate, Meddling};
use crate::support::model;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a payer waits for an answer that nobody hands out.
pub(crate) const IMPATIENCE: Duration = Duration::from_millis(100);

/// A transaction's fee.
const FEE: u64 = 5_000;

fn lamports(scene: &Scene, name: &str) -> u64 {
    scene.chain.world(|world| world.lamports(&keypair(name).pubkey()))
}

pub(crate) async fn driven(worker: &Arc<Worker>, job: &Pubkey) -> Outcome {
    worker.drive(job, &CancellationToken::new()).await.expect("the crash log works")
}

/// Posts a job and has it decided.
async fn decided(scene: &Scene, client: &Client, worker: &Arc<Worker>, request: &Request) -> Pubkey {
    let posted = client.post_job(&scene.offer, request).await.expect("it is posted");
    assert_eq!(driven(worker, &posted.job).await, Outcome::AwaitsPay);
    posted.job
}

#[tokio::test]
async fn an_answer_is_acknowledged_everybody_paid_and_the_rent_comes_back() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let client = scene.client();
    let before = (lamports(&scene, "payer"), lamports(&scene, "node"));
    let posted = client.post_job(&scene.offer, &model::request(3)).await.unwrap();
    assert_eq!(posted.deposit, 3_005_009);
    let (mut stages, mut quiet) = (Vec::new(), |_| {});
    let mut progress = |stage| stages.push(stage);
    let (finished, outcome) =
        tokio::join!(client.finish(&posted.job, PATIENCE, &mut progress), driven(&worker, &posted.job));
    let finished = finished.unwrap();
    assert_eq!(outcome, Outcome::AwaitsPay);
    assert_eq!(finished.response, provena_engine::reference::run(&model::artifact(), &model::request(3)).unwrap());
    // One transaction: the acknowledgement, node, royalty, protocol; the two inboxes are opened by it.
    assert_eq!((finished.paid.len(), stages.last()), (1, Some(&Stage::Paid(finished.paid[0]))));
    let job = scene.job(&posted.job);
    assert!(job.job.has(flag::ACKNOWLEDGED) && job.job.is_paid_out(&job.seats).unwrap());
    let node = scene.node("node");
    assert_eq!((node.stake, node.locked, node.agreed), (STAKE, 0, 1));
    // The node took the seat and answered in one transaction; the fee of 3,005,009 less 901,503 and 75,125 is its own.
    assert_eq!(lamports(&scene, "node"), before.1 - FEE + 2_028_381);
    // It has nothing left to collect.
    scene.collect(&worker, false).await;
    assert_eq!(scene.chain.count(instruction::CollectSeat::DISCRIMINATOR), 1);

    // What is over can be asked for again, and costs nothing.
    let again = client.finish(&posted.job, PATIENCE, &mut quiet).await.unwrap();
    assert_eq!((again.response, again.paid), (finished.response, Vec::new()));

    // The rent waits until the nonce cannot be used again.
    assert!(client.close_finished().await.unwrap().is_empty());
    let error = client.close(&posted.job).await.unwrap_err();
    assert!(error.to_string().contains("TooEarly"), "{error}");
    scene.chain.advance(151);
    let rent = scene.chain.world(|world| world.lamports(&posted.job));
    let closed = client.close_finished().await.unwrap();
    assert_eq!(closed.iter().map(|one| (one.job, one.closed)).collect::<Vec<_>>(), [(posted.job, true)]);
    assert!(scene.job_or_none(&posted.job).is_none());
    let inboxes = scene.chain.world(|world| {
        let books: provena_royalty::state::Books = world.state(&job.job.books);
        let royalty = provena_royalty::pda::inbox(&job.job.books, books.inbox_count - 1).0;
        let treasury = pda::treasury_inbox(&provena_market::NATIVE_MINT, 0).0;
        [royalty, treasury].map(|inbox| world.lamports(&inbox))
    });
    let inbox_rents = inboxes[0] + inboxes[1] - 901_503 - 75_125;
    // The payer paid three transactions, the fee, and the rent of the two inboxes, once for everybody; and the SVM takes the
    // fee of the close that was refused, which a server would not have passed on.
    assert_eq!(lamports(&scene, "payer"), before.0 - 4 * FEE - 3_005_009 - inbox_rents);
    assert!(rent > 3_000_000);
    assert!(matches!(client.finish(&posted.job, PATIENCE, &mut quiet).await, Err(ClientError::Closed(_))));
}

#[tokio::test]
async fn the_next_inference_closes_the_last_one() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let client = scene.client();
    let mut quiet = |_| {};
    let first = decided(&scene, &client, &worker, &model::request(1)).await;
    client.finish(&first, PATIENCE, &mut quiet).await.unwrap();
    // One that was never acknowledged: the payer was cut off after the answer was there.
    let second = decided(&scene, &client, &worker, &model::request(2)).await;
    scene.chain.advance(SETTLE_AFTER + 1);

    let serving = tokio::spawn({
        let (chain, worker) = (scene.chain.clone(), worker.clone());
        async move {
            loop {
                use provena_client::chain::ChainReader;
                let filter = provena_client::view::JobView::filter(
                    std::mem::offset_of!(provena_market::state::Job, state),
                    &[JobState::Open as u8],
                );
                let open = chain.program_accounts(&provena_market::ID, &filter).await.unwrap();
                for (job, _) in open {
                    worker.drive(&job, &CancellationToken::new()).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    let (third, finished) = client.infer(&scene.offer, &model::request(3), PATIENCE, &mut quiet).await.unwrap();
    serving.abort();
    assert_eq!(finished.job.winner().unwrap().units_in, 3);
    assert!(scene.job_or_none(&first).is_none() && scene.job_or_none(&second).is_none());
    assert!(scene.job_or_none(&third.job).is_some());
    assert_eq!((scene.node("node").locked, scene.node("node").agreed), (0, 3));
    // The node's records end with them.
    scene.collect(&worker, false).await;
    assert!(worker.journal().awaiting_pay().is_empty() && worker.journal().in_progress().is_empty());
}

#[tokio::test]
async fn five_nodes_paid_in_tokens_are_paid_in_few_transactions() {
    let names = ["n0", "n1", "n2", "n3", "n4"];
    for scene in [Scene::in_tokens(&names, 5, 3).await, Scene::in_new_tokens(&names, 5, 3).await] {
        let folders: Vec<_> = names.iter().map(|_| tempfile::tempdir().unwrap()).collect();
        let client = scene.client();
        let posted = client.post_job(&scene.offer, &model::request(3)).await.unwrap();
        let workers: Vec<_> = names
            .iter()
            .zip(&folders)
            .map(|(name, folder)| scene.worker(name, scene.chain.clone(), folder.path()))
            .collect();
        let all = futures_util::future::join_all(workers.iter().map(|worker| driven(worker, &posted.job)));
        assert_eq!(all.await, vec![Outcome::AwaitsPay; 5]);
        // Two of the nodes have never held the token.
        scene.chain.world(|world| {
            for name in &names[..3] {
                scene.money.give(world, &keypair(name).pubkey(), 0);
            }
        });
        let finished = client.finish(&posted.job, PATIENCE, &mut |_| {}).await.unwrap();
        assert!(finished.paid.len() <= 3, "{} transactions", finished.paid.len());
        // 2,028,381 for five; the first agreeing seat gets the odd one.
        let winner = finished.job.winner().unwrap().node;
        let share = |name: &str| if keypair(name).pubkey() == winner { 405_677 } else { 405_676 };
        for name in &names[..3] {
            assert_eq!(scene.balance(name), share(name), "{name}");
        }
        for name in names {
            let node = scene.node(name);
            assert_eq!((node.locked, node.agreed), (0, 1), "no bond waits for tokens");
        }
        assert_eq!(scene.balance("payer"), 1_000 * 1_000_003 - 3_005_009);
        // The job cannot be closed over their heads; they open their accounts and collect themselves.
        scene.chain.advance(151);
        let error = client.close(&posted.job).await.unwrap_err();
        assert!(error.to_string().contains("NotPaidOut"), "{error}");
        for worker in &workers {
            scene.collect(worker, false).await;
        }
        assert_eq!((scene.balance("n3"), scene.balance("n4")), (share("n3"), share("n4")));
        client.close(&posted.job).await.unwrap();
        assert!(scene.job_or_none(&posted.job).is_none());
    }
}

#[tokio::test]
async fn a_mint_that_takes_a_fee_of_each_transfer_is_paid_in_and_the_escrow_closed() {
    let scene = Scene::in_taxed_tokens(&["node"], 100).await;
    let data = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let client = scene.client();
    let posted = client.post_job(&scene.offer, &model::request(3)).await.unwrap();
    // 3,005,009 must arrive: 3,035,363 less one per cent, rounded up, is 3,005,009.
    assert_eq!(posted.deposit, 3_035_363);
    assert_eq!(scene.job(&posted.job).job.deposit, 3_005_009);
    assert_eq!(driven(&worker, &posted.job).await, Outcome::AwaitsPay);
    client.finish(&posted.job, PATIENCE, &mut |_| {}).await.unwrap();
    scene.collect(&worker, false).await;
    // The node's part is 2,028,381, of which the mint takes 20,284.
    assert_eq!(scene.balance("node"), 2_008_097);
    scene.chain.advance(151);
    // The fee of the deposit is withheld in the escrow, which cannot be closed before it is moved away.
    client.close(&posted.job).await.unwrap();
    let escrow = pda::escrow(&posted.job).0;
    assert!(scene.job_or_none(&posted.job).is_none());
    assert!(scene.chain.world(|world| world.account(&escrow)).is_none());
}

#[tokio::test]
async fn a_job_that_nobody_takes_is_cancelled_and_its_rent_comes_back() {
    for scene in [Scene::new(&[], 1, 1).await, Scene::in_tokens(&[], 2, 2).await] {
        let client = scene.client();
        let before = (scene.balance("payer"), lamports(&scene, "payer"));
        let posted = client.post_job(&scene.offer, &model::request(1)).await.unwrap();
        client.cancel(&posted.job).await.unwrap();
        assert_eq!(scene.job(&posted.job).state().unwrap(), JobState::Cancelled);
        scene.chain.advance(151);
        client.close(&posted.job).await.unwrap();
        assert!(scene.job_or_none(&posted.job).is_none());
        assert_eq!(lamports(&scene, "payer"), before.1 - 3 * FEE);
        if scene.money.is_token() {
            assert_eq!(scene.balance("payer"), before.0);
        }
    }
}

#[tokio::test]
async fn cancel_rejects_a_job_on_which_a_node_works() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let client = scene.client();
    let posted = client.post_job(&scene.offer, &model::request(1)).await.unwrap();
    let node = keypair("node");
    let hash = scene.job(&posted.job).job.terms_hash;
    scene.chain.world(|world| {
        world.accept(&[market::take_seat(node.pubkey(), posted.job, 0, hash, 0)], &[&node]);
    });
    let error = client.cancel(&posted.job).await.unwrap_err();
    assert!(error.to_string().contains("JobInUse"), "{error}");
}

#[tokio::test]
async fn a_late_seat_is_ended_by_the_payer_and_the_deposit_comes_back() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let client = scene.client();
    let before = lamports(&scene, "payer");
    let posted = client.post_job(&scene.offer, &model::request(1)).await.unwrap();
    let node = keypair("node");
    let hash = scene.job(&posted.job).job.terms_hash;
    scene.chain.world(|world| {
        world.accept(&[market::take_seat(node.pubkey(), posted.job, 0, hash, 0)], &[&node]);
    });
    scene.chain.advance(2 * u64::from(WINDOW));
    let mut stages = Vec::new();
    let error = client.finish(&posted.job, PATIENCE, &mut |stage| stages.push(stage)).await.err().unwrap();
    let refunded =
        matches!(error, ClientError::Ended { state: JobState::Failed, refund, .. } if refund == posted.deposit);
    assert!(refunded, "{error}");
    assert!(stages.iter().any(|stage| matches!(stage, Stage::Cranked(Next::Finalize, _))), "{stages:?}");
    // The bond is the treasury's, and the refund is collected already.
    assert_eq!(scene.node("node").stake, STAKE - BOND);
    let treasury = scene.chain.world(|world| world.account(&pda::treasury_inbox(&provena_market::NATIVE_MINT, 0).0));
    let treasury = treasury.unwrap();
    let rent = scene.chain.world(|world| world.svm.minimum_balance_for_rent_exemption(treasury.data.len()));
    assert_eq!(treasury.lamports - rent, BOND);
    client.close(&posted.job).await.unwrap();
    // Posting, ending, collecting, closing: four transactions, and the rent of the treasury's inbox.
    assert_eq!(lamports(&scene, "payer"), before - 4 * FEE - rent);
}

/// Collects without letting time pass until an answer is on chain.
pub(crate) async fn collect_until_sealed(scene: &Scene, worker: &Arc<Worker>) {
    let mut collector = Collector::new(worker.clone(), Duration::from_millis(5));
    while scene.chain.count(instruction::SealAnswer::DISCRIMINATOR) == 0 {
        collector.round().await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A node that computes and answers and hands nothing out.
pub(crate) fn secretive(scene: &Scene, name: &str, data: &Path) -> Arc<Worker> {
    let own = data.join("own");
    // Artifact and inputs are there.
    copy(&scene.shared.join("blobs"), &own.join("blobs"));
    scene.worker_publishing(name, scene.chain.clone(), data, &own)
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_nobody_hands_out_is_demanded_and_comes_on_chain() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let client = scene.client().with_answer_patience(IMPATIENCE);
    // 64 pictures: an answer of several pieces.
    let request = model::request(64);
    let posted = client.post_job(&scene.offer, &request).await.unwrap();
    let worker = secretive(&scene, "node", data.path());
    assert_eq!(driven(&worker, &posted.job).await, Outcome::AwaitsPay);
    let before = lamports(&scene, "node");
    let mut stages = Vec::new();
    let mut progress = |stage| stages.push(stage);
    let (finished, ()) = tokio::join!(client.finish(&posted.job, PATIENCE, &mut progress), async {
        collect_until_sealed(&scene, &worker).await;
    });
    let finished = finished.unwrap();
    // Once its payer had time to read it, the node takes the answer's rent back.
    scene.collect(&worker, true).await;
    let reference = provena_engine::reference::run(&model::artifact(), &request).unwrap();
    assert_eq!(finished.response, reference);
    let demanded = finished.demanded.expect("who demanded it is told by which transaction");
    assert!(stages.contains(&Stage::Demanded(demanded)), "{stages:?}");
    let pieces = reference.to_bytes().len().div_ceil(market::ANSWER_PART);
    assert!(pieces > 3);
    assert_eq!(scene.chain.count(instruction::PutAnswer::DISCRIMINATOR), pieces);
    assert_eq!(scene.chain.count(instruction::SealAnswer::DISCRIMINATOR), 1);
    // The node is paid, has the demand's 60,000 lamports, and its answer's rent back.
    assert_eq!(scene.chain.count(instruction::CloseAnswer::DISCRIMINATOR), 1);
    let answer = pda::answer(&posted.job, &keypair("node").pubkey()).0;
    assert!(scene.chain.world(|world| world.account(&answer)).is_none());
    let node = scene.node("node");
    assert_eq!((node.stake, node.locked, node.agreed), (STAKE, 0, 1));
    let collected = scene.chain.count(instruction::CollectSeat::DISCRIMINATOR);
    assert_eq!(collected, 1);
    let pay = finished.job.split().unwrap().nodes.0;
    // The seal goes with the last piece.
    let transactions = u64::try_from(pieces + 1).unwrap();
    let own_collect = lamports(&scene, "node") + transactions * FEE - before - pay - 60_000;
    assert!(own_collect == 0 || own_collect + FEE == 0, "{own_collect}");
    assert_eq!(worker.journal().awaiting_pay(), Vec::new());
}

/// Kills the node at each call while it puts a demanded answer on chain, before and after the call's effect.
#[tokio::test]
async fn a_crash_while_an_answer_is_put_on_chain_loses_nothing() {
    for after_effect in [false, true] {
        let mut at = 0;
        loop {
            let scene = Scene::new(&["node"], 1, 1).await;
            let data = tempfile::tempdir().unwrap();
            let client = scene.client();
            let posted = client.post_job(&scene.offer, &model::request(20)).await.unwrap();
            let worker = secretive(&scene, "node", data.path());
            assert_eq!(driven(&worker, &posted.job).await, Outcome::AwaitsPay);
            drop(worker);
            client.demand_answer(&posted.job).await.unwrap();
            let fate = if after_effect { Fate::KillAfter } else { Fate::KillBefore };
            let rule = move |_, number| if number == at { fate } else { Fate::Pass };
            let meddling = Arc::new(Meddling::new(scene.chain.clone(), rule));
            let own = data.path().join("own");
            let first = scene.worker_publishing("node", meddling.clone(), data.path(), &own);
            let living = async {
                collect_until_sealed(&scene, &first).await;
                scene.collect(&first, true).await;
            };
            let survived = tokio::select! {
                () = living => true,
                () = meddling.killed() => false,
            };
            drop(first);
            // What the dead node was doing ends with it.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let second = scene.worker_publishing("node", scene.chain.clone(), data.path(), &own);
            let back = async {
                collect_until_sealed(&scene, &second).await;
                scene.collect(&second, true).await;
            };
            tokio::time::timeout(PATIENCE, back).await.expect("the answer comes on chain");
            let job = scene.job(&posted.job);
            assert!(job.job.has(flag::ANSWERED), "crash at call {at}, after its effect: {after_effect}");
            assert_eq!(scene.chain.count(instruction::SealAnswer::DISCRIMINATOR), 1);
            assert_eq!(scene.chain.count(instruction::CloseAnswer::DISCRIMINATOR), 1, "crash at call {at}");
            let node = scene.node("node");
            assert_eq!((node.stake, node.locked, node.agreed), (STAKE, 0, 1));
            let key = scene.key(&second, &posted.job);
            assert_eq!(second.journal().job(&key).unwrap().end, Some(End::Settled));
            if survived {
                break;
            }
            at += 1;
        }
        eprintln!("killed at each of {at} calls, after their effect: {after_effect}");
        assert!(at >= 12, "only {at} calls");
    }
}

#[tokio::test]
async fn a_demanded_answer_that_does_not_come_costs_the_node_pay_and_bond() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let client = scene.client().with_answer_patience(IMPATIENCE);
    let before = lamports(&scene, "payer");
    let posted = client.post_job(&scene.offer, &model::request(2)).await.unwrap();
    let worker = secretive(&scene, "node", data.path());
    assert_eq!(driven(&worker, &posted.job).await, Outcome::AwaitsPay);
    let mut quiet = |_| {};
    let (error, ()) = tokio::join!(client.finish(&posted.job, PATIENCE, &mut quiet), async {
        while scene.chain.count(instruction::DemandAnswer::DISCRIMINATOR) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.chain.advance(ANSWER_WINDOW + 1);
    });
    let error = error.err().unwrap();
    let back =
        matches!(error, ClientError::Ended { state: JobState::Defaulted, refund, .. } if refund == posted.deposit);
    assert!(back, "{error}");
    assert_eq!(scene.node("node").stake, STAKE - BOND);
    scene.collect(&worker, false).await;
    let key = scene.key(&worker, &posted.job);
    let end = worker.journal().job(&key).unwrap().end;
    assert!(matches!(&end, Some(End::Abandoned(why)) if why.contains("demanded")), "{end:?}");
    client.close(&posted.job).await.unwrap();
    // Posting, demanding, ending, collecting, closing; deposit and demand's deposit are back.
    let treasury = pda::treasury_inbox(&provena_market::NATIVE_MINT, 0).0;
    let inbox = scene.chain.world(|world| world.lamports(&treasury)) - BOND;
    assert_eq!(lamports(&scene, "payer"), before - 5 * FEE - inbox);
}

#[tokio::test]
async fn the_longest_answer_that_the_chain_takes_is_put_there() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let offer = scene.offer_with(|terms| terms.max_input_units = 1_000);
    let client = scene.client();
    // 45 bytes for each picture, and three numbers.
    let posted = client.post_job(&offer, &model::request(181)).await.unwrap();
    let worker = secretive(&scene, "node", data.path());
    assert_eq!(driven(&worker, &posted.job).await, Outcome::AwaitsPay);
    client.demand_answer(&posted.job).await.unwrap();
    tokio::time::timeout(PATIENCE, collect_until_sealed(&scene, &worker)).await.expect("it comes on chain");
    let answer = client.answer_on_chain(&scene.job(&posted.job)).await.unwrap().unwrap();
    let len = answer.to_bytes().len();
    assert!((8_150..=8_192).contains(&len), "{len} bytes");
    assert_eq!(answer, provena_engine::reference::run(&model::artifact(), &model::request(181)).unwrap());
}

#[tokio::test]
async fn an_answer_too_long_for_the_chain_is_shown_to_be_so() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let offer = scene.offer_with(|terms| terms.max_input_units = 1_000);
    let client = scene.client().with_answer_patience(IMPATIENCE);
    let request = model::request(400);
    let posted = client.post_job(&offer, &request).await.unwrap();
    let worker = secretive(&scene, "node", data.path());
    assert_eq!(driven(&worker, &posted.job).await, Outcome::AwaitsPay);
    let mut quiet = |_| {};
    let (finished, ()) = tokio::join!(client.finish(&posted.job, PATIENCE, &mut quiet), async {
        while scene.chain.count(instruction::DemandAnswer::DISCRIMINATOR) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.collect(&worker, true).await;
    });
    assert!(matches!(finished.err(), Some(ClientError::Withheld(job)) if job == posted.job));
    assert_eq!(scene.chain.count(instruction::ProveLength::DISCRIMINATOR), 1);
    let node = scene.node("node");
    assert_eq!((node.stake, node.locked, node.agreed), (STAKE, 0, 1));
    // The payer asks again later, and a node hands it out after all.
    copy(&data.path().join("own/blobs"), &scene.shared.join("blobs"));
    let finished = client.finish(&posted.job, PATIENCE, &mut |_| {}).await.unwrap();
    assert_eq!(finished.response, provena_engine::reference::run(&model::artifact(), &request).unwrap());
}

/// A receipt outlives its job: what the job's transactions said is enough to see that it is true, and any change is seen.
#[tokio::test]
async fn a_receipt_is_checked_against_history_when_its_job_is_closed() {
    for (seats, quorum) in [(1, 1), (2, 2)] {
        let names = ["node", "other"];
        let scene = Scene::new(&names, seats, quorum).await;
        let folders: Vec<_> = names.iter().map(|_| tempfile::tempdir().unwrap()).collect();
        let client = scene.client();
        let posted = client.post_job(&scene.offer, &model::request(3)).await.unwrap();
        let workers: Vec<_> = names[..usize::from(seats)]
            .iter()
            .zip(&folders)
            .map(|(name, folder)| scene.worker(name, scene.chain.clone(), folder.path()))
            .collect();
        futures_util::future::join_all(workers.iter().map(|worker| driven(worker, &posted.job))).await;
        client.finish(&posted.job, PATIENCE, &mut |_| {}).await.unwrap();
        scene.chain.advance(151);
        client.close(&posted.job).await.unwrap();
        assert!(scene.job_or_none(&posted.job).is_none());

        let signed = workers[0].journal().receipt(&posted.job).unwrap();
        let statement = signed.verify().unwrap();
        let past = scene.chain.past();
        let witnessed = check_history(&signed, &CLUSTER, &past).unwrap();
        assert_eq!(witnessed.offer, scene.offer);
        assert_eq!(witnessed.nodes[0], keypair("node").pubkey());
        assert_eq!(witnessed.nodes.len(), usize::from(seats));

        let key = SigningKey::from_bytes(keypair("node").secret_bytes());
        type Change = (&'static str, fn(&mut Receipt));
        let changes: [Change; 4] = [
            ("payer", |receipt| receipt.payer = [1; 32]),
            ("input root", |receipt| receipt.input_root = [1; 32]),
            ("terms hash", |receipt| receipt.terms_hash = [1; 32]),
            ("cluster", |receipt| receipt.cluster = [1; 32]),
        ];
        for (name, change) in changes {
            let mut changed = statement;
            change(&mut changed);
            let error = check_history(&receipt::sign(&changed, &key).unwrap(), &CLUSTER, &past).unwrap_err();
            assert!(matches!(error, ReceiptMismatch::Differs { field, .. } if field == name), "{name}: {error}");
        }
        let changes: [fn(&mut Receipt); 3] = [
            |receipt| receipt.result_root = [1; 32],
            |receipt| receipt.units_in += 1,
            |receipt| receipt.units_out += 1,
        ];
        for change in changes {
            let mut changed = statement;
            change(&mut changed);
            let error = check_history(&receipt::sign(&changed, &key).unwrap(), &CLUSTER, &past).unwrap_err();
            assert!(matches!(error, ReceiptMismatch::NotAgreed { .. }), "{error}");
        }
        // Another node signs that it did it; nobody posted the job; the statement was never made.
        let mut stolen = statement;
        let thief = SigningKey::from_bytes(&[66; 32]);
        stolen.node = thief.verifying_key().to_bytes();
        let error = check_history(&receipt::sign(&stolen, &thief).unwrap(), &CLUSTER, &past).unwrap_err();
        assert!(matches!(error, ReceiptMismatch::NotAgreed { .. }), "{error}");
        let error = check_history(&signed, &CLUSTER, &[]).unwrap_err();
        assert!(matches!(error, ReceiptMismatch::NoHistory { .. }), "{error}");
    }
}

#[tokio::test]
async fn post_job_rejects_a_protocol_fee_above_what_the_payer_agreed_to() {
    let scene = Scene::new(&[], 1, 1).await;
    let client = scene.client().with_max_protocol_bps(Some(249));
    let error = client.post_job(&scene.offer, &model::request(1)).await.unwrap_err();
    assert!(error.to_string().contains("FeeAboveLimit"), "{error}");
    client.with_max_protocol_bps(Some(250)).post_job(&scene.offer, &model::request(1)).await.unwrap();
}

#[tokio::test]
async fn jobs_of_one_slot_have_addresses_of_their_own() {
    let scene = Scene::new(&[], 1, 1).await;
    let client = scene.client();
    let slot = scene.chain.world(|world| world.slot());
    let first = client.post_job_with_nonce(&scene.offer, &model::request(1), (slot, 1)).await.unwrap();
    let second = client.post_job_with_nonce(&scene.offer, &model::request(1), (slot, 2)).await.unwrap();
    assert_ne!(first.job, second.job);
    // A nonce that is too old is refused: its address cannot come back.
    scene.chain.advance(200);
    let error = client.post_job_with_nonce(&scene.offer, &model::request(1), (slot, 3)).await.unwrap_err();
    assert!(error.to_string().contains("WrongNonce"), "{error}");
    let (a, b) = (client.clone(), client.clone());
    let request = model::request(1);
    let (a, b) = tokio::join!(a.post_job(&scene.offer, &request), b.post_job(&scene.offer, &request));
    assert_ne!(a.unwrap().nonce.1, b.unwrap().nonce.1);
    assert_eq!(client.jobs().await.unwrap().len(), 4);
    assert_eq!(
        scene.chain.world(|world| world.state::<provena_market::state::Admin>(&pda::admin().0)).min_stake,
        MIN_STAKE
    );
}
