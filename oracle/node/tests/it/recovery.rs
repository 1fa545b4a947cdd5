//! Killing the node at every call it makes to the chain, before and after the call's effect, and starting it again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anchor_lang::Discriminator;
use provena_client::receipt::check_against;
use provena_client::view::JobView;
use provena_market::constants::SETTLE_AFTER;
use provena_market::instruction;
use provena_market::state::{JobState, OfferTerms};
use provena_node::journal::{End, Entry, Event, FILE_NAME, Journal};
use provena_node::tasks::submit::Outcome;
use provena_tests::market::{CLUSTER, STAKE};
use provena_tests::world::keypair;
use provena_wire::{Request, Units};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use crate::support::market::{BASE, BOND, MAX_WINDOWS, PRICE, Scene, WINDOW};
use crate::support::meddle::{Fate, Meddling};
use crate::support::model;

/// Lives through `job`, from the seat to the pay, until the node dies at call number `at`; `Some` when it ended before.
async fn live_until_killed(scene: &Scene, data: &Path, job: &Pubkey, at: usize, after_effect: bool) -> Option<Outcome> {
    let fate = if after_effect { Fate::KillAfter } else { Fate::KillBefore };
    let rule = move |_, number| if number == at { fate } else { Fate::Pass };
    let chain = Arc::new(Meddling::new(scene.chain.clone(), rule));
    let worker = scene.worker("node", chain.clone(), data);
    tokio::select! {
        outcome = scene.live(&worker, job) => Some(outcome),
        () = chain.killed() => None,
    }
}

async fn live_to_the_end(scene: &Scene, data: &Path, job: &Pubkey) -> Outcome {
    let worker = scene.worker("node", scene.chain.clone(), data);
    let outcome = tokio::time::timeout(Duration::from_secs(30), scene.live(&worker, job)).await;
    outcome.expect("the node finishes")
}

/// Drives a job to its decision and no further.
async fn decide(scene: &Scene, name: &str, data: &Path, job: &Pubkey) -> Outcome {
    let worker = scene.worker(name, scene.chain.clone(), data);
    let closing = CancellationToken::new();
    let outcome = tokio::time::timeout(Duration::from_secs(30), worker.drive(job, &closing)).await;
    outcome.expect("the node finishes").expect("the crash log works")
}

/// The fee of `count` images.
fn fee(count: u64) -> u64 {
    BASE + count * PRICE
}

fn assert_receipt_is_sound(scene: &Scene, data: &Path, job: &JobView) {
    let signed = Journal::open(&data.join(FILE_NAME)).unwrap().receipt(&job.address).unwrap();
    signed.verify().unwrap();
    check_against(&signed, &CLUSTER, job).unwrap();
    let offer = scene.chain.world(|world| world.state(&scene.offer));
    provena_client::receipt::check_offer(&signed, &CLUSTER, job, &offer).unwrap();
}

/// There is one result and one receipt in the crash log, for one posting, and neither can be exchanged.
fn assert_one_result_and_one_receipt(data: &Path, job: &Pubkey) {
    let journal = Journal::open(&data.join(FILE_NAME)).unwrap();
    let [(key, record)] = &journal.at(job)[..] else { panic!("more than one posting of {job}, or none") };
    let (computed, signed) = (record.computed.unwrap(), record.receipt.clone().unwrap());
    assert_eq!(signed.result_root, hex::encode(computed.result_root));
    let Units { input: units_in, output: units_out } = computed.units;
    let other = Event::Computed { result_root: [1; 32], units_in, units_out, salt: computed.salt };
    journal.append(&Entry { key: *key, event: other }).unwrap_err();
}

/// The whole life of a job of one seat with one crash at call `at`; the seat is taken before the work, or together with its
/// answer. Says whether the node was still alive at that call.
async fn survives_a_crash_at(at: usize, after_effect: bool, take_first: bool) -> bool {
    let mut scene = Scene::new(&["node"], 1, 1).await;
    scene.take_first = take_first;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(3)).await.unwrap();

    let before = live_until_killed(&scene, data.path(), &posted.job, at, after_effect).await;
    let outcome = live_to_the_end(&scene, data.path(), &posted.job).await;
    assert_eq!(outcome, Outcome::Ended(End::Settled), "crash at call {at}, after its effect: {after_effect}");

    let job = scene.job(&posted.job);
    assert_eq!(job.state().unwrap(), JobState::Agreed);
    let split = job.split().unwrap();
    assert_eq!(split.total().unwrap().0, fee(3));
    assert_eq!((job.winner().unwrap().units_in, split.refund.0), (3, 0));
    let node = scene.node("node");
    assert_eq!((node.stake, node.locked, node.forfeited, node.agreed), (STAKE, 0, 0, 1));
    for done_once in [
        instruction::TakeSeat::DISCRIMINATOR,
        instruction::Answer::DISCRIMINATOR,
        instruction::CollectSeat::DISCRIMINATOR,
    ] {
        assert_eq!(scene.chain.count(done_once), 1, "crash at call {at}");
    }
    assert_receipt_is_sound(&scene, data.path(), &job);
    let response = scene.client().response(&job).await.unwrap();
    let reference = provena_engine::reference::run(&model::artifact(), &model::request(3)).unwrap();
    assert_eq!(response, reference);
    assert_one_result_and_one_receipt(data.path(), &posted.job);
    before.is_none()
}

#[tokio::test]
async fn a_crash_before_any_call_loses_nothing() {
    for (take_first, calls) in [(true, 20), (false, 15)] {
        let mut at = 0;
        while survives_a_crash_at(at, false, take_first).await {
            at += 1;
        }
        eprintln!("killed before each of {at} calls");
        assert!(at >= calls, "only {at} calls: the whole life of a job has more");
    }
}

#[tokio::test]
async fn a_crash_after_any_call_loses_nothing() {
    for (take_first, calls) in [(true, 20), (false, 15)] {
        let mut at = 0;
        while survives_a_crash_at(at, true, take_first).await {
            at += 1;
        }
        eprintln!("killed after each of {at} calls");
        assert!(at >= calls, "only {at} calls: the whole life of a job has more");
    }
}

/// As above for a job of two seats, which goes by commitment and reveal. The other node never dies.
async fn survives_a_crash_among_two_at(at: usize, after_effect: bool) -> bool {
    let scene = Scene::new(&["node", "other"], 2, 2).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    let node = async {
        let before = live_until_killed(&scene, data.path(), &posted.job, at, after_effect).await;
        (before, live_to_the_end(&scene, data.path(), &posted.job).await)
    };
    let ((before, outcome), decided) = tokio::join!(node, decide(&scene, "other", other.path(), &posted.job));
    assert_eq!(outcome, Outcome::Ended(End::Settled), "crash at call {at}, after its effect: {after_effect}");
    assert_eq!(decided, Outcome::AwaitsPay);

    let job = scene.job(&posted.job);
    assert_eq!(job.state().unwrap(), JobState::Agreed);
    let account = scene.node("node");
    assert_eq!((account.stake, account.locked, account.forfeited, account.agreed), (STAKE, 0, 0, 1));
    for done_by_each in
        [instruction::TakeSeat::DISCRIMINATOR, instruction::Commit::DISCRIMINATOR, instruction::Reveal::DISCRIMINATOR]
    {
        assert_eq!(scene.chain.count(done_by_each), 2, "crash at call {at}");
    }
    assert_receipt_is_sound(&scene, data.path(), &job);
    assert_one_result_and_one_receipt(data.path(), &posted.job);
    before.is_none()
}

#[tokio::test]
async fn a_crash_before_any_call_loses_nothing_where_two_must_agree() {
    let mut at = 0;
    while survives_a_crash_among_two_at(at, false).await {
        at += 1;
    }
    eprintln!("killed before each of {at} calls");
    assert!(at >= 25, "only {at} calls: the whole life of a job has more");
}

#[tokio::test]
async fn a_crash_after_any_call_loses_nothing_where_two_must_agree() {
    let mut at = 0;
    while survives_a_crash_among_two_at(at, true).await {
        at += 1;
    }
    eprintln!("killed after each of {at} calls");
    assert!(at >= 25, "only {at} calls: the whole life of a job has more");
}

#[tokio::test]
async fn a_lost_crash_log_does_not_cost_the_bond() {
    let scene = Scene::new(&["node", "other"], 2, 2).await;
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let posted = scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap();
    // Die once the commitment is on the chain, and lose everything but the key.
    let mut at = 0;
    while scene.chain.count(instruction::Commit::DISCRIMINATOR) == 0 {
        assert!(live_until_killed(&scene, data.path(), &posted.job, at, true).await.is_none());
        at += 1;
    }
    let fresh = tempfile::tempdir().unwrap();
    let (outcome, _) = tokio::join!(
        live_to_the_end(&scene, fresh.path(), &posted.job),
        decide(&scene, "other", other.path(), &posted.job)
    );
    assert_eq!(outcome, Outcome::Ended(End::Settled));
    assert_eq!(scene.node("node").forfeited, 0);
    assert_eq!(scene.chain.count(instruction::Commit::DISCRIMINATOR), 2);
}

#[tokio::test]
async fn a_closed_offer_does_not_stop_a_node_that_has_a_seat() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let other_offer = scene.offer_with(|_| {});
    let posted = scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap();
    let mut at = 0;
    while scene.chain.count(instruction::TakeSeat::DISCRIMINATOR) == 0 {
        assert!(live_until_killed(&scene, data.path(), &posted.job, at, true).await.is_none());
        at += 1;
    }
    scene.close_offer();
    assert_eq!(live_to_the_end(&scene, data.path(), &posted.job).await, Outcome::Ended(End::Settled));
    let job = scene.job(&posted.job);
    let signed = Journal::open(&data.path().join(FILE_NAME)).unwrap().receipt(&posted.job).unwrap();
    signed.verify().unwrap();
    check_against(&signed, &CLUSTER, &job).unwrap();
    assert_eq!(signed.content_root, hex::encode(model::artifact().content_root()));

    // A job that nobody has begun when its offer is closed is left alone: nobody can say what it wants.
    let posted = scene.client().post_job(&other_offer, &model::request(1)).await.unwrap();
    scene.chain.world(|world| world.svm.set_account(other_offer, Default::default()).unwrap());
    let fresh = tempfile::tempdir().unwrap();
    let Outcome::Declined(reason) = decide(&scene, "node", fresh.path(), &posted.job).await else { panic!("taken") };
    assert!(reason.contains("offer is closed"), "{reason}");
}

#[tokio::test]
async fn a_node_that_returns_too_late_ends_its_seat_and_loses_only_the_bond() {
    let mut scene = Scene::new(&["node"], 1, 1).await;
    scene.take_first = true;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    let mut at = 0;
    while scene.chain.count(instruction::TakeSeat::DISCRIMINATOR) == 0 {
        assert!(live_until_killed(&scene, data.path(), &posted.job, at, true).await.is_none());
        at += 1;
    }
    scene.chain.advance(3 * u64::from(WINDOW));
    let outcome = live_to_the_end(&scene, data.path(), &posted.job).await;
    assert!(matches!(outcome, Outcome::Ended(End::Abandoned(_))), "{outcome:?}");
    let node = scene.node("node");
    assert_eq!((node.stake, node.locked, node.forfeited), (STAKE - BOND, 0, 1));
    assert_eq!(scene.job(&posted.job).state().unwrap(), JobState::Failed);
}

#[tokio::test]
async fn a_job_whose_input_is_missing_is_never_taken() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    std::fs::remove_file(scene.shared.join("blobs").join(hex::encode(posted.input_root))).unwrap();
    let outcome = live_to_the_end(&scene, data.path(), &posted.job).await;
    let Outcome::Declined(reason) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("does not have it"), "{reason}");
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
    assert_eq!(Journal::open(&data.path().join(FILE_NAME)).unwrap().in_progress(), Vec::new());
}

#[tokio::test]
async fn a_job_whose_input_the_model_refuses_is_never_taken() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let request = Request::Classify { images: vec![vec![17; 64]] };
    let posted = scene.client().post_job(&scene.offer, &request).await.unwrap();
    let outcome = live_to_the_end(&scene, data.path(), &posted.job).await;
    assert!(matches!(&outcome, Outcome::Declined(reason) if reason.contains("request")), "{outcome:?}");
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
}

/// M4 among them: a job whose windows together could hold a bond for days is declined.
#[tokio::test]
async fn m4_a_job_whose_terms_are_too_risky_is_never_taken() {
    let most = u32::try_from(MAX_WINDOWS).unwrap();
    type Change = Box<dyn FnOnce(&mut OfferTerms)>;
    let cases: [(&str, Change); 4] = [
        ("a bond of 0.010000001 SOL", Box::new(|terms| terms.bond_lamports += 1)),
        ("a window of 159 slots", Box::new(|terms| terms.commit_window -= 1)),
        ("a window of 150 slots", Box::new(|terms| terms.reveal_window = 150)),
        (
            "windows of 9001 slots together, the most is 9000",
            Box::new(move |terms| {
                terms.open_window = most + 1 - 2 * WINDOW;
            }),
        ),
    ];
    for (reason, change) in cases {
        let scene = Scene::new(&["node"], 1, 1).await;
        let data = tempfile::tempdir().unwrap();
        let offer = scene.offer_with(change);
        let posted = scene.client().post_job(&offer, &model::request(1)).await.unwrap();
        let outcome = live_to_the_end(&scene, data.path(), &posted.job).await;
        assert!(matches!(&outcome, Outcome::Declined(why) if why.contains(reason)), "{outcome:?}");
        assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
    }
    // One slot less is taken.
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let offer = scene.offer_with(|terms| terms.open_window = most - 2 * WINDOW);
    let posted = scene.client().post_job(&offer, &model::request(1)).await.unwrap();
    assert_eq!(live_to_the_end(&scene, data.path(), &posted.job).await, Outcome::Ended(End::Settled));
}

#[tokio::test]
async fn a_job_paid_in_tokens_pays_wallets_that_never_held_any() {
    for scene in [Scene::in_tokens(&["node"], 1, 1).await, Scene::in_new_tokens(&["node"], 1, 1).await] {
        let data = tempfile::tempdir().unwrap();
        let client = scene.client().with_spare_units(Units::new(1, 0));
        let posted = client.post_job(&scene.offer, &model::request(3)).await.unwrap();
        assert_eq!(posted.deposit, 4_005_012);
        assert_eq!(live_to_the_end(&scene, data.path(), &posted.job).await, Outcome::Ended(End::Settled));
        // A fee of 3,005,009: 30 % royalty rounded up, 2.5 % protocol rounded down, the rest.
        let split = scene.job(&posted.job).split().unwrap();
        let parts = [split.nodes, split.royalty, split.protocol, split.refund].map(|part| part.0);
        assert_eq!(parts, [2_028_381, 901_503, 75_125, 1_000_003]);
        assert_eq!(scene.balance("node"), 2_028_381, "{:?}", scene.money);
        let node = scene.node("node");
        assert_eq!((node.locked, node.agreed), (0, 1));
    }
}

#[tokio::test]
async fn three_nodes_agree_and_none_pays_for_more_than_its_own() {
    let names = ["node a", "node b", "node c"];
    let scene = Scene::new(&names, 3, 2).await;
    let folders: Vec<_> = names.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let posted = scene.client().post_job(&scene.offer, &model::request(4)).await.unwrap();
    let workers: Vec<_> = names
        .iter()
        .zip(&folders)
        .map(|(name, folder)| scene.worker(name, scene.chain.clone(), folder.path()))
        .collect();
    let closing = CancellationToken::new();
    let all = futures_util::future::join_all(workers.iter().map(|worker| worker.drive(&posted.job, &closing)));
    let outcomes = tokio::time::timeout(Duration::from_secs(30), all).await.expect("they finish");
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap() == &Outcome::AwaitsPay), "{outcomes:?}");
    assert_eq!(scene.job(&posted.job).state().unwrap(), JobState::Agreed);
    // The last reveal decided it, so that nobody paid to end the waiting.
    assert_eq!(scene.chain.count(instruction::Finalize::DISCRIMINATOR), 0);
    scene.chain.advance(SETTLE_AFTER + 1);
    for worker in &workers {
        scene.collect(worker, false).await;
    }
    assert_eq!(scene.chain.count(instruction::CollectSeat::DISCRIMINATOR), 3);
    for name in names {
        let node = scene.node(name);
        assert_eq!((node.locked, node.agreed), (0, 1), "{name}");
    }
}

#[tokio::test]
async fn one_of_three_does_not_reveal_and_one_of_the_others_ends_the_waiting() {
    let names = ["node a", "node b"];
    let scene = Scene::new(&["node a", "node b", "node c"], 3, 2).await;
    let posted = scene.client().post_job(&scene.offer, &model::request(4)).await.unwrap();
    // It commits to something and is not seen again.
    let absent = keypair("node c");
    let hash = scene.job(&posted.job).job.terms_hash;
    scene.chain.world(|world| {
        let take = provena_market::client::take_seat(absent.pubkey(), posted.job, 2, hash, 0);
        let commit = provena_market::client::commit(absent.pubkey(), posted.job, 2, [1; 32]);
        world.accept(&[take, commit], &[&absent]);
    });
    let folders: Vec<_> = names.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let workers: Vec<_> = names
        .iter()
        .zip(&folders)
        .map(|(name, folder)| scene.worker(name, scene.chain.clone(), folder.path()))
        .collect();
    let closing = CancellationToken::new();
    let all = futures_util::future::join_all(workers.iter().map(|worker| worker.drive(&posted.job, &closing)));
    let time = async {
        while scene.chain.count(instruction::Reveal::DISCRIMINATOR) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        scene.chain.advance(u64::from(WINDOW) + 1);
    };
    let (outcomes, ()) =
        tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(all, time) }).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap() == &Outcome::AwaitsPay), "{outcomes:?}");
    assert_eq!(scene.chain.count(instruction::Finalize::DISCRIMINATOR), 1, "one of them pays for it");
    let node = scene.node("node c");
    assert_eq!((node.stake, node.forfeited), (STAKE - BOND, 1));
    let paid_by = |name: &str| scene.chain.world(|world| world.lamports(&keypair(name).pubkey()));
    let before = names.map(paid_by);
    scene.chain.advance(SETTLE_AFTER + 1);
    for worker in &workers {
        scene.collect(worker, false).await;
    }
    // Of a fee of 4,005,012: 30 % royalty 1,201,504, 2.5 % protocol 100,125; each gets half of the rest, 1,351,691, the
    // first the odd one more; and 30,000 of the forfeited bond. The transaction costs 5,000.
    let gains = [0, 1].map(|index| paid_by(names[index]) - before[index]);
    let mut sorted = gains;
    sorted.sort_unstable();
    assert_eq!(sorted, [1_351_691 + 25_000, 1_351_692 + 25_000], "{gains:?}");
}

#[tokio::test]
async fn a_seat_beside_which_nobody_sits_is_left_without_loss_and_taken_again() {
    let scene = Scene::new(&["node", "other"], 2, 2).await;
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let offer = scene.offer_with(|terms| terms.open_window = 1_000);
    let posted = scene.client().post_job(&offer, &model::request(1)).await.unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let driven = worker.clone();
    let working = tokio::spawn(async move { driven.drive(&posted.job, &CancellationToken::new()).await.unwrap() });
    while scene.chain.count(instruction::Commit::DISCRIMINATOR) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(scene.node("node").locked, BOND);
    scene.chain.advance(150);
    let outcome = working.await.unwrap();
    assert!(matches!(&outcome, Outcome::Ended(End::Abandoned(why)) if why.contains("no other node")), "{outcome:?}");
    let node = scene.node("node");
    assert_eq!((node.stake, node.locked, node.forfeited), (STAKE, 0, 0));
    // As long as nobody is there it stays away; somebody comes; both finish.
    assert!(matches!(
        worker.drive(&posted.job, &CancellationToken::new()).await.unwrap(),
        Outcome::Ended(End::Abandoned(_))
    ));
    let theirs = scene.worker("other", scene.chain.clone(), other.path());
    let coming = tokio::spawn(async move { theirs.drive(&posted.job, &CancellationToken::new()).await.unwrap() });
    while scene.chain.count(instruction::TakeSeat::DISCRIMINATOR) < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(worker.drive(&posted.job, &CancellationToken::new()).await.unwrap(), Outcome::AwaitsPay);
    assert_eq!(coming.await.unwrap(), Outcome::AwaitsPay);
    drop(worker);
    assert_one_result_and_one_receipt(data.path(), &posted.job);
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
    assert_eq!(live_to_the_end(&scene, data.path(), &posted.job).await, Outcome::Ended(End::Settled));
}
