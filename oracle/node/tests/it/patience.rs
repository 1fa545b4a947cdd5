//! How long a payer waits in all.

use std::time::{Duration, Instant};

use provena_client::ClientError;
use provena_node::tasks::submit::Outcome;

use crate::payer::{driven, secretive};
use crate::support::market::Scene;
use crate::support::model;

/// The decision takes most of the patience, and the node keeps the answer back: it is waited for as long as the patience lasts
/// still, and not once more as long.
#[tokio::test]
async fn decision_and_answer_share_one_patience() {
    let scene = Scene::new(&["node"], 1, 1).await;
    let data = tempfile::tempdir().unwrap();
    let client = scene.client();
    let posted = client.post_job(&scene.offer, &model::request(2)).await.unwrap();
    let worker = secretive(&scene, "node", data.path());
    let (patience, begun) = (Duration::from_secs(4), Instant::now());
    let mut quiet = |_| {};
    let (finished, ()) = tokio::join!(client.finish(&posted.job, patience, &mut quiet), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(driven(&worker, &posted.job).await, Outcome::AwaitsPay);
    });
    let waited = begun.elapsed();
    let error = finished.err().unwrap();
    assert!(matches!(error, ClientError::NotHandedOut { demanded: false, .. }), "{error}");
    assert!(waited < patience + Duration::from_millis(1_500), "{waited:?}");
}
