//! The routes, over real sockets.

use provena_node::journal::{Entry, Event, JobKey, Journal};
use provena_node::node::Node;
use provena_tests::world::keypair;
use reqwest::{Client, StatusCode};
use solana_pubkey::Pubkey;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::journal::{result, signed as receipt_of};
use crate::service::{config, engine};
use crate::support::serving::{signed, upload};

struct Served {
    url: String,
    http: Client,
    _folder: tempfile::TempDir,
    journal: Journal,
    _running: DropGuard,
}

async fn serve() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(config(folder.path(), 0), engine()).await.unwrap();
    let url = format!("http://{}", node.address());
    let journal = node.journal();
    let shutdown = CancellationToken::new();
    tokio::spawn(node.run(shutdown.clone()));
    Served { url, http: Client::new(), _folder: folder, journal, _running: shutdown.drop_guard() }
}

impl Served {
    async fn get(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap().to_vec())
    }
}

#[tokio::test]
async fn health_says_why_the_node_does_not_work() {
    let served = serve().await;
    // The first question to the chain fails within a second or two.
    let mut last = String::new();
    for _ in 0..100 {
        let (status, body) = served.get("/health").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let health: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(health["adapter"]["backend"], "cpu");
        assert_eq!(health["self_test"], "passed");
        last = health["status"].as_str().unwrap().to_owned();
        if last == "unreachable" {
            assert!(health["chain"]["consecutive_failures"].as_u64().unwrap() > 0);
            assert!(health["chain"]["last_error"].is_string());
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("still {last}");
}

#[tokio::test]
async fn metrics_are_in_the_open_metrics_format() {
    let served = serve().await;
    let (status, body) = served.get("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    let text = String::from_utf8(body).unwrap();
    assert!(text.contains("# TYPE provena_node_healthy gauge\nprovena_node_healthy 0\n"), "{text}");
    assert!(text.contains("# TYPE provena_node_inference_seconds histogram"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn a_blob_is_called_by_its_root() {
    let served = serve().await;
    for name in ["xyz", "..%2F..%2Fnode.json", &"0".repeat(63)] {
        assert_eq!(served.get(&format!("/v1/blobs/{name}")).await.0, StatusCode::BAD_REQUEST, "{name}");
    }
    assert_eq!(served.get(&format!("/v1/blobs/{}", "0".repeat(64))).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_node_that_does_not_know_its_chain_takes_no_uploads() {
    let served = serve().await;
    let url = format!("{}/v1/blobs/{}", served.url, "0".repeat(64));
    let job = served.http.put(&url).header("provena-job", Pubkey::new_from_array([3; 32]).to_string());
    let wallet = keypair("payer");
    let signed = signed(served.http.put(&url), &wallet, &upload([0; 32], 1, 0));
    for request in [job, signed] {
        let answer = request.body("x").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key("retry-after"));
    }
}

#[tokio::test]
async fn a_receipt_is_served_by_its_job() {
    let served = serve().await;
    let job = Pubkey::new_from_array([3; 32]);
    assert_eq!(served.get(&format!("/v1/receipts/{job}")).await.0, StatusCode::NOT_FOUND);
    for path in ["/v1/receipts/xyz", "/v1/receipts/..%2F..%2Fnode"] {
        assert_eq!(served.get(path).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
    let key = JobKey { job, posted_at: 345, input_root: [8; 32] };
    let signed = receipt_of(&key, [9; 32], 10);
    for event in [result([9; 32]), Event::Signing(signed.clone())] {
        served.journal.append(&Entry { key, event }).unwrap();
    }
    let (status, body) = served.get(&format!("/v1/receipts/{job}")).await;
    assert_eq!((status, serde_json::from_slice(&body).ok()), (StatusCode::OK, Some(signed)));
}
