//! What a node takes on, played by strangers who would like it to take on more.

use std::path::Path;
use std::sync::Arc;

use anchor_lang::Discriminator;
use provena_client::{Client, amount::Currency};
use provena_market::instruction;
use provena_market::state::{JobState, OfferTerms, SeatState};
use provena_node::tasks::{Limits, Worker, submit::Outcome};
use provena_tests::market::STAKE;
use provena_wire::Units;
use serde_json::json;
use solana_pubkey::Pubkey;
use tokio_util::sync::CancellationToken;

use crate::support::market::{BOND, Scene, WINDOW};
use crate::support::model;
use crate::support::serving::Served;
use crate::support::small_disk::SmallDisk;
use crate::support::watched::{Call, Gatekeeper, Watched, pass};
use crate::support::{folder_store, folder_url};
use crate::watch::{Running, until};

async fn declined(worker: &Worker, job: &Pubkey) -> String {
    match worker.drive(job, &CancellationToken::new()).await.unwrap() {
        Outcome::Declined(reason) => reason,
        other => panic!("it was not declined: {other:?}"),
    }
}

/// A payer of his own.
fn payer(scene: &Scene, name: &str) -> Client {
    let wallet = scene.chain.world(|world| world.wallet(name));
    Client::new(scene.chain.clone(), folder_store(&scene.shared), Arc::new(wallet))
}

fn within(scene: &Scene, data: &Path, limits: Limits) -> Arc<Worker> {
    scene.worker_within("node", scene.chain.clone(), data, limits)
}

/// N13, work at a loss: an offer for one lamport, and one whose whole fee is the royalty.
#[tokio::test]
async fn n13_a_job_that_costs_the_node_more_than_it_brings_is_left_alone() {
    type Change = Box<dyn FnOnce(&mut OfferTerms)>;
    let cheap = |price| -> Change { Box::new(move |terms| (terms.base_price, terms.input_price) = (0, price)) };
    // 15,000 for its transactions and a ten-thousandth of the bond are 16,000. It gets 67.5 % of the fee.
    let cases: [(Change, u64); 4] = [
        (cheap(1), 0),
        (Box::new(|terms| terms.royalty_bps = 10_000), 0),
        (cheap(23_702), 15_999),
        // Three pictures would pay enough, and one is asked about.
        (cheap(11_000), 7_425),
    ];
    for (change, pay) in cases {
        let scene = Scene::new(&["node"], 1, 1).await;
        let data = tempfile::tempdir().unwrap();
        let offer = scene.offer_with(change);
        let client = scene.client().with_spare_units(Units::new(if pay == 7_425 { 2 } else { 0 }, 0));
        let posted = client.post_job(&offer, &model::request(1)).await.unwrap();
        let worker = scene.worker("node", scene.chain.clone(), data.path());
        let reason = declined(&worker, &posted.job).await;
        assert_eq!(
            reason,
            format!(
                "for 1 unit of input this node is paid {}, and it takes no less than 0.000016 SOL: its transactions and the \
                 time of its bond",
                Currency::sol().price(pay)
            )
        );
        assert_eq!(worker.metrics().refusals("pays_too_little"), 1);
        assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
    }
    // One lamport more is taken.
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let offer = scene.offer_with(|terms| (terms.base_price, terms.input_price) = (0, 23_703));
    let posted = scene.client().post_job(&offer, &model::request(1)).await.unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    assert_eq!(worker.drive(&posted.job, &CancellationToken::new()).await.unwrap(), Outcome::AwaitsPay);
}

#[tokio::test]
async fn n13_a_mint_without_a_rate_is_declined() {
    let scene = Scene::in_tokens(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    let worker = within(&scene, data.path(), Limits { rates: [].into(), ..scene.limits() });
    let reason = declined(&worker, &posted.job).await;
    assert!(reason.starts_with("this node takes no payment in"), "{reason}");
    assert_eq!(worker.metrics().refusals("no_rate"), 1);
    drop(worker);
    // At a rate at which it does not pay it is declined for that.
    let poor = Limits { rates: [(scene.money.mint(), 1_000)].into(), ..scene.limits() };
    let worker = within(&scene, data.path(), poor);
    let reason = declined(&worker, &posted.job).await;
    assert!(reason.starts_with("for 1 unit of input this node is paid"), "{reason}");
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
}

/// N3, freezing: an attacker with many wallets posts jobs for two nodes with the longest windows there are, and the second
/// node never comes. Honest jobs go on, half of the stake stays free, and in the end nothing is lost.
#[tokio::test]
async fn n3_jobs_that_wait_for_others_stop_no_honest_one() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let slow = scene.offer_with(|terms| {
        (terms.seats, terms.quorum) = (2, 2);
        (terms.open_window, terms.commit_window, terms.reveal_window) = (3_000, 3_000, 3_000);
    });
    let limits = Limits { max_jobs: 8, ..scene.limits() };
    let node = Running::start(within(&scene, data.path(), limits));
    let mut waiting = Vec::new();
    for index in 0..8 {
        let attacker = payer(&scene, &format!("attacker {index}"));
        let job = attacker.post_job(&slow, &model::request(1)).await.unwrap().job;
        waiting.push((attacker, job));
    }
    let is_taken = |job: &Pubkey| scene.job(job).seats.iter().any(|seat| seat.node != Pubkey::default());
    let committed = || waiting.iter().filter(|(_, job)| is_taken(job)).count();
    until("four of them are taken", || committed() == 4).await;
    until("the others are left alone", || node.worker.metrics().refusals("waiting_at_limit") >= 4).await;

    let honest = payer(&scene, "honest");
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(honest.post_job(&scene.offer, &model::request(1)).await.unwrap().job);
    }
    until("honest jobs are answered", || jobs.iter().all(|job| scene.job(job).state().unwrap() == JobState::Agreed))
        .await;
    let account = scene.node("node");
    assert_eq!((committed(), account.locked), (4, 8 * BOND));
    assert_eq!(node.worker.ledger().several(), 4);

    // The other four would be taken once there is room; they are not what is looked at here.
    for (attacker, job) in waiting.iter().filter(|(_, job)| !is_taken(job)) {
        attacker.cancel(job).await.unwrap();
    }
    // Nobody comes: after 150 slots the seats are left, without loss, and are not taken again by themselves.
    scene.chain.advance(151);
    until("the seats are left", || committed() == 0).await;
    scene.chain.advance(1_501);
    until("honest jobs are paid", || node.worker.journal().awaiting_pay().is_empty()).await;
    until("nothing is held", || scene.node("node").locked == 0).await;
    let account = scene.node("node");
    assert_eq!((account.stake, account.locked, account.forfeited), (STAKE, 0, 0));
    node.stop().await;
}

/// Seats that wait hold a place of the node, and none of computing: with a single one, everything moves.
#[tokio::test]
async fn n3_a_waiting_job_holds_no_place_of_computing() {
    let scene = Scene::new(&["node", "other"], 2, 2).await;
    let data = tempfile::tempdir().unwrap();
    let node = Running::start(scene.worker("node", scene.chain.clone(), data.path()));
    let first = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job;
    let seats = |job: &Pubkey| scene.job(job).seats.clone();
    until("it has committed", || seats(&first).iter().any(|seat| seat.is(SeatState::Committed))).await;
    let second = scene.client().post_job(&scene.offer, &model::request(2)).await.unwrap().job;
    until("so it has again", || seats(&second).iter().any(|seat| seat.is(SeatState::Committed))).await;
    assert_eq!(u64::from(WINDOW), 160);
    node.stop().await;
}

/// N2, a request that takes its thread with it: two attempts, also across restarts, then it is left alone, and others go on.
#[tokio::test]
async fn n2_a_request_that_failed_badly_is_left_alone() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let bad = scene.client().post_job(&scene.offer, &model::request(3)).await.unwrap().job;
    let fragile = || {
        Watched::new(|call| {
            assert!(!matches!(call, Call::Prepare(bytes, _) if bytes == model::request(3).to_bytes()), "this kills");
            pass()
        })
    };
    for expected in ["engine_failed", "engine_failed", "failed_before", "failed_before"] {
        let worker = scene.worker_computing("node", data.path(), fragile());
        declined(&worker, &bad).await;
        assert_eq!(worker.metrics().refusals(expected), 1, "{expected}");
    }
    let good = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job;
    let worker = scene.worker_computing("node", data.path(), fragile());
    assert_eq!(worker.drive(&good, &CancellationToken::new()).await.unwrap(), Outcome::AwaitsPay);
}

/// N1, a stake that a full disk gives away: while there is no room nothing is taken, and when it is back everything is.
#[tokio::test]
async fn n1_a_full_disk_costs_no_bond() {
    let Some(disk) = SmallDisk::mount(24 << 20) else { return };
    let scene = Scene::new(&["node"], 1, 1).await;
    let node = Running::start(scene.worker("node", scene.chain.clone(), disk.path()));
    disk.fill();
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job);
    }
    until("they are left alone", || node.worker.metrics().refusals("disk_full") >= 4).await;
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);

    disk.empty();
    until("they are answered", || jobs.iter().all(|job| scene.job(job).state().unwrap() == JobState::Agreed)).await;
    scene.chain.advance(1_501);
    until("they are paid", || scene.node("node").locked == 0).await;
    let account = scene.node("node");
    assert_eq!((account.stake, account.forfeited, account.agreed), (STAKE, 0, 4));
    node.stop().await;
}

/// N1 once more: the disk fills after the commitment. The answer is revealed, published and paid all the same.
#[tokio::test]
async fn n1_a_disk_that_fills_after_the_claim_costs_no_bond() {
    let Some(disk) = SmallDisk::mount(24 << 20) else { return };
    let scene = Scene::new(&["node", "other"], 2, 2).await;
    let other = tempfile::tempdir().unwrap();
    let node = Running::start(scene.worker("node", scene.chain.clone(), disk.path()));
    let job = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job;
    let committed = || scene.job(&job).seats.iter().any(|seat| seat.is(SeatState::Committed));
    until("it has committed", committed).await;
    disk.fill();
    let second = scene.worker("other", scene.chain.clone(), other.path());
    assert_eq!(second.drive(&job, &CancellationToken::new()).await.unwrap(), Outcome::AwaitsPay);
    until("both agreed", || scene.job(&job).state().unwrap() == JobState::Agreed).await;
    scene.client().acknowledge(&job).await.unwrap();
    until("it is paid", || scene.node("node").locked == 0).await;
    let account = scene.node("node");
    assert_eq!((account.stake, account.forfeited, account.agreed), (STAKE, 0, 1));
    until("the receipt is signed", || node.worker.journal().receipt(&job).is_some()).await;
    node.stop().await;
}

/// A stake below the market's least, as after a lost bond: refused by its name, in a quote too, and no transaction is paid for it.
#[tokio::test]
async fn a_stake_below_the_markets_least_is_refused_by_name_before_a_seat_is_taken() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    scene.set_least_stake(STAKE + 1);
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let before = scene.chain.world(|world| world.lamports(&worker.authority()));
    let words = "the node's stake is 5 SOL, the market's least is 5.000000001 SOL; it must be raised";
    assert_eq!((declined(&worker, &posted.job).await.as_str(), STAKE), (words, 5_000_000_000));
    assert_eq!(worker.metrics().refusals("stake_too_low"), 1);
    let quote = worker.quote(&scene.terms(&scene.offer), model::request(1).to_bytes().into()).await;
    assert_eq!(quote.unwrap_err().name(), "stake_too_low");
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
    assert_eq!(scene.chain.world(|world| world.lamports(&worker.authority())), before);
    assert!(worker.journal().in_progress().is_empty());

    // A market that asks for no more than there is has its job taken.
    scene.set_least_stake(STAKE);
    let posted = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap();
    assert_eq!(worker.drive(&posted.job, &CancellationToken::new()).await.unwrap(), Outcome::AwaitsPay);
}

/// As above, for whoever looks after the node.
#[tokio::test(flavor = "multi_thread")]
async fn health_says_that_the_stake_is_below_the_markets_least() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    scene.set_least_stake(STAKE + 1);
    let served = Served::begin(scene.chain.clone(), folder.path(), "", Watched::new(|_| pass())).await;
    served
        .until(|code, health| {
            let money = &health["money"];
            code == 503 && health["reasons"] == json!(["stake_too_low"]) && money["least_stake"] == STAKE + 1
        })
        .await;
    served.stop().await;
}

/// A bond that is promised to a job whose seat is about to be taken was shown as free.
#[tokio::test(flavor = "multi_thread")]
async fn health_does_not_count_as_free_what_is_promised() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let keeper = Gatekeeper::default();
    let gate = Arc::clone(&keeper.0);
    // The bond is promised before it is known how long the answer takes.
    let slow = Watched::new(move |call| {
        if call == Call::WarmUp {
            gate.wait();
        }
        pass()
    });
    let urls = format!("[store]\nurls = [{:?}]\n", folder_url(&scene.shared));
    let served = Served::start_computing(scene.chain.clone(), folder.path(), &urls, slow).await;
    let shows = |promised: u64, locked: u64, free: u64| {
        move |_, health: &serde_json::Value| {
            let money = &health["money"];
            money["promised"] == promised && money["locked"] == locked && money["free"] == free
        }
    };
    served.until(shows(0, 0, STAKE)).await;
    let job = scene.client().post_job(&scene.offer, &model::request(1)).await.unwrap().job;
    served.until(shows(BOND, 0, STAKE - BOND)).await;
    let (_, metrics) = served.get("/metrics").await;
    let metrics = String::from_utf8(metrics).unwrap();
    let gauge = format!("provena_node_stake_free_lamports {}", STAKE - BOND);
    assert!(metrics.contains(&gauge), "{gauge} is not in {metrics}");
    assert_eq!(scene.chain.count(instruction::TakeSeat::DISCRIMINATOR), 0);
    keeper.open();
    until("it is answered", || scene.job(&job).state().unwrap() == JobState::Agreed).await;
    // Its seat is on the chain; nothing of it is counted twice for long.
    served.until(move |_, health| health["money"]["free"] == STAKE - BOND).await;
    served.stop().await;
}
