//! The routes, over real sockets.

use provena_arith::merkle::content_root;
use provena_node::journal::{Entry, Event, JobKey, Journal};
use provena_node::node::Node;
use reqwest::{Client, StatusCode};
use solana_pubkey::Pubkey;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::journal::{result, signed};
use crate::service::{config, engine};

struct Served {
    url: String,
    http: Client,
    folder: tempfile::TempDir,
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
    Served { url, http: Client::new(), folder, journal, _running: shutdown.drop_guard() }
}

impl Served {
    async fn get(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap().to_vec())
    }

    async fn put(&self, root: &str, bytes: &[u8]) -> StatusCode {
        let url = format!("{}/v1/blobs/{root}", self.url);
        self.http.put(url).body(bytes.to_vec()).send().await.unwrap().status()
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
async fn a_blob_is_taken_and_given_back() {
    let served = serve().await;
    let blob = b"pixels".to_vec();
    let root = hex::encode(content_root(&blob).unwrap());
    assert_eq!(served.get(&format!("/v1/blobs/{root}")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(served.put(&root, &blob).await, StatusCode::CREATED);
    assert_eq!(served.put(&root, &blob).await, StatusCode::OK);
    assert_eq!(served.get(&format!("/v1/blobs/{root}")).await, (StatusCode::OK, blob.clone()));
    // The same route serves as another node's store.
    let store = provena_client::store::Store::open(&[format!("{}/v1", served.url)]).unwrap();
    assert_eq!(store.get(&content_root(&blob).unwrap()).await.unwrap(), blob);
    let other = store.put(b"more pixels".to_vec()).await.unwrap();
    assert!(store.has(&other).await);
}

#[tokio::test]
async fn put_rejects_what_is_not_named_so_too_large_or_too_much() {
    let served = serve().await;
    let root = |blob: &[u8]| hex::encode(content_root(blob).unwrap());
    assert_eq!(served.put(&root(b"one"), b"other").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(served.put("xyz", b"one").await, StatusCode::BAD_REQUEST);
    assert_eq!(served.put(&root(&[1; 1_001]), &[1; 1_001]).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(served.put(&root(&[1; 1_000]), &[1; 1_000]).await, StatusCode::CREATED);
    assert_eq!(served.put(&root(&[2; 501]), &[2; 501]).await, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(served.put(&root(&[2; 500]), &[2; 500]).await, StatusCode::CREATED);
    assert_eq!(served.get(&format!("/v1/blobs/{}", root(b"one"))).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn results_are_not_served_before_they_are_revealed() {
    let served = serve().await;
    let private = served.folder.path().join("provena-node/private");
    let root = crate::support::folder_store(&private).put(b"a secret result".to_vec()).await.unwrap();
    assert_eq!(served.get(&format!("/v1/blobs/{}", hex::encode(root))).await.0, StatusCode::NOT_FOUND);
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
    let signed = signed(&key, [9; 32], 10);
    for event in [result([9; 32]), Event::Signing(signed.clone())] {
        served.journal.append(&Entry { key, event }).unwrap();
    }
    let (status, body) = served.get(&format!("/v1/receipts/{job}")).await;
    assert_eq!((status, serde_json::from_slice(&body).ok()), (StatusCode::OK, Some(signed)));
}
