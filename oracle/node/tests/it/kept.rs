//! Paid jobs survive whatever happens to the payer (N6): killed, cut off from the chain, asked to close what was never read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use provena_client::chain::SharedChain;
use provena_client::kept::JobsFolder;
use provena_client::{Client, ClientError};
use provena_market::constants::SETTLE_AFTER;
use provena_node::tasks::submit::Outcome;
use tokio_util::sync::CancellationToken;

use crate::payer::copy;
use crate::support::folder_store;
use crate::support::market::Scene;
use crate::support::meddle::{Call, Fate, Meddling};
use crate::support::model;

const PATIENCE: Duration = Duration::from_secs(20);

/// The payer in a home of its own.
fn at_home(scene: &Scene, chain: SharedChain, home: &Path) -> Client {
    let jobs = JobsFolder::open(home.join("jobs")).unwrap();
    Client::new(chain, folder_store(&home.join("store")), scene.payer.clone()).with_jobs(jobs)
}

/// Kills the payer at each call while it posts, before and after the call's effect: whatever is on the chain afterwards is in
/// the folder, with what was asked, and can be finished by somebody who knows no more than that.
#[tokio::test]
async fn n6_a_job_is_kept_before_its_deposit_is_sent() {
    for fate in [Fate::KillBefore, Fate::KillAfter] {
        let mut at = 0;
        let mut posted = 0;
        loop {
            let scene = Scene::new(&["node"], 1, 1).await;
            let home = tempfile::tempdir().unwrap();
            let rule = move |_, number| if number == at { fate } else { Fate::Pass };
            let meddling = Arc::new(Meddling::new(scene.chain.clone(), rule));
            let client = at_home(&scene, meddling.clone(), home.path());
            let request = model::request(2);
            let survived = tokio::select! {
                posted = client.post_job(&scene.offer, &request) => posted.is_ok(),
                () = meddling.killed() => false,
            };
            drop(client);

            let after = at_home(&scene, scene.chain.clone(), home.path());
            let jobs = JobsFolder::open(home.path().join("jobs")).unwrap();
            let (records, broken) = jobs.all().unwrap();
            assert!(broken.is_empty(), "{broken:?}");
            for job in after.jobs().await.unwrap() {
                posted += 1;
                let record = records.iter().find(|record| record.job == job.address);
                let record = record.unwrap_or_else(|| panic!("crash at call {at}: a paid job is not kept"));
                assert_eq!((record.input_root, record.deposit), (job.job.input_root, job.job.deposit));
                assert_eq!(jobs.request(&job.address).unwrap(), Some(request.to_bytes()));
                let data = tempfile::tempdir().unwrap();
                copy(&home.path().join("store/blobs"), &scene.shared.join("blobs"));
                let worker = scene.worker("node", scene.chain.clone(), data.path());
                let outcome = worker.drive(&record.job, &CancellationToken::new()).await.unwrap();
                assert_eq!(outcome, Outcome::AwaitsPay);
                copy(&scene.shared.join("blobs"), &home.path().join("store/blobs"));
                let finished = after.finish(&record.job, PATIENCE, &mut |_| {}).await.unwrap();
                let kept = jobs.get(&record.job).unwrap().unwrap();
                assert_eq!(kept.result_root, Some(finished.response.result_root()));
                assert_eq!(jobs.answer(&record.job).unwrap(), Some(finished.response.to_bytes()));
            }
            if survived {
                break;
            }
            at += 1;
        }
        eprintln!("killed at each of {at} calls ({fate:?}); paid in {posted}");
        assert!(at >= 6 && posted >= 2, "{at} calls, paid in {posted}");
    }
}

/// What was certainly not paid is not kept as if it might be.
#[tokio::test]
async fn n6_a_job_that_was_refused_is_forgotten() {
    let scene = Scene::new(&[], 1, 1).await;
    let home = tempfile::tempdir().unwrap();
    let client = at_home(&scene, scene.chain.clone(), home.path()).with_max_protocol_bps(Some(0));
    client.post_job(&scene.offer, &model::request(1)).await.unwrap_err();
    assert!(JobsFolder::open(home.path().join("jobs")).unwrap().all().unwrap().0.is_empty());
}

/// The chain goes silent after the deposit is paid. Who waits goes on asking; who waits in vain is told the right reason.
#[tokio::test]
async fn n6_waiting_outlives_a_chain_that_is_silent_for_a_while() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let home = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let worker = scene.worker("node", scene.chain.clone(), data.path());
    let posted = scene.client().post_job(&scene.offer, &model::request(3)).await.unwrap();
    worker.drive(&posted.job, &CancellationToken::new()).await.unwrap();
    copy(&scene.shared.join("blobs"), &home.path().join("store/blobs"));

    let dead = Meddling::new(scene.chain.clone(), |_, _| Fate::LoseRequest);
    let impatient = at_home(&scene, Arc::new(dead), home.path());
    let error = impatient.finish(&posted.job, Duration::from_millis(700), &mut |_| {}).await.err().unwrap();
    assert!(matches!(&error, ClientError::Silent { job, .. } if *job == posted.job), "{error}");

    // Two calls in a row are lost again and again, also while the answer is acknowledged.
    let flaky = Meddling::new(scene.chain.clone(), |call, number| match call {
        Call::Read if number < 3 => Fate::LoseRequest,
        _ => Fate::Pass,
    });
    let patient = at_home(&scene, Arc::new(flaky), home.path());
    let finished = patient.finish(&posted.job, PATIENCE, &mut |_| {}).await.unwrap();
    assert_eq!(finished.response.units().input, 3);
}

/// An answer was paid for and never fetched. Closing jobs that are over must not lose it: first it is fetched, and where that
/// fails the job stays.
#[tokio::test]
async fn n6_no_answer_is_lost_by_closing_what_is_over() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let (home, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let client = at_home(&scene, scene.chain.clone(), home.path());
    let posted = client.post_job(&scene.offer, &model::request(3)).await.unwrap();
    // A node that hands nothing out for now.
    let own = data.path().join("own");
    copy(&scene.shared.join("blobs"), &own.join("blobs"));
    copy(&home.path().join("store/blobs"), &own.join("blobs"));
    let worker = scene.worker_publishing("node", scene.chain.clone(), data.path(), &own);
    assert_eq!(worker.drive(&posted.job, &CancellationToken::new()).await.unwrap(), Outcome::AwaitsPay);
    scene.chain.advance(SETTLE_AFTER + 1);

    let left = client.close_finished().await.unwrap();
    assert_eq!(
        left.iter().map(|one| (one.job, one.closed, one.unfetched)).collect::<Vec<_>>(),
        [(posted.job, false, true)]
    );
    // The node is paid all the same.
    assert_eq!((scene.node("node").locked, scene.node("node").agreed), (0, 1));
    assert!(matches!(client.close(&posted.job).await, Err(ClientError::Unfetched(job)) if job == posted.job));
    assert!(scene.job_or_none(&posted.job).is_some(), "the job is still there, and says which answer it was");

    copy(&own.join("blobs"), &home.path().join("store/blobs"));
    let closed = client.close_finished().await.unwrap();
    assert!(closed[0].closed && !closed[0].unfetched);
    assert!(scene.job_or_none(&posted.job).is_none());
    // The job is gone; its transactions say which answer it was, and the answer is here.
    let answer = client.response_of_closed(&posted.job, None, &scene.chain.past()).await.unwrap().unwrap();
    assert_eq!(answer, provena_engine::reference::run(&model::artifact(), &model::request(3)).unwrap());
    let kept = JobsFolder::open(home.path().join("jobs")).unwrap().get(&posted.job).unwrap().unwrap();
    assert!(kept.closed && kept.posted.is_some());
}
