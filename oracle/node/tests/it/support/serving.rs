//! A whole node over the SVM, with its HTTP, and wallets that upload to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use provena_arith::merkle::content_root;
use provena_client::chain::SharedChain;
use provena_client::store::Root;
use provena_node::compute::{Compute, EngineCompute};
use provena_node::config::Config;
use provena_node::instance::LockPlaces;
use provena_node::node::{Node, NodeError};
use provena_tests::market::CLUSTER;
use provena_tests::world::keypair;
use provena_wire::Upload;
use provena_wire::upload::{JOB_HEADER, SIGNATURE_HEADER, SLOT_HEADER, WALLET_HEADER};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A node that serves.
pub(crate) struct Served {
    pub address: SocketAddr,
    pub http: Client,
    folder: PathBuf,
    shutdown: DropGuard,
    task: JoinHandle<Result<(), NodeError>>,
}

/// Settings of a node called "node" whose data is in `folder`; `sections` follows `[node]`.
pub(crate) fn config(folder: &Path, rpc_url: &str, sections: &str) -> Config {
    std::fs::write(folder.join("node.json"), format!("{:?}", keypair("node").to_bytes())).expect("it is writable");
    let text = format!(
        "[chain]\nrpc_url = {rpc_url:?}\ntimeout_s = 2\n[node]\nkey = \"node.json\"\n[engine]\nadapter = \"cpu\"\n{sections}"
    );
    Config::parse(&text, [], &folder.join("node.toml")).expect("the settings are right")
}

impl Served {
    /// A node over `chain`; it can earn when this returns.
    pub(crate) async fn start(chain: SharedChain, folder: &Path, sections: &str) -> Self {
        let engine = Arc::new(EngineCompute::open("cpu", 1 << 30).expect("the processor computes"));
        Self::start_computing(chain, folder, sections, engine).await
    }

    /// As [`Served::start`], with something else that computes.
    pub(crate) async fn start_computing(
        chain: SharedChain,
        folder: &Path,
        sections: &str,
        engine: Arc<dyn Compute>,
    ) -> Self {
        let served = Self::begin(chain, folder, sections, engine).await;
        served.until(|code, _| code == StatusCode::OK).await;
        served
    }

    /// A node over `chain` that may be unable to earn.
    pub(crate) async fn begin(chain: SharedChain, folder: &Path, sections: &str, engine: Arc<dyn Compute>) -> Self {
        let mut config = config(folder, "http://127.0.0.1:1", sections);
        config.http.listen.set_port(0);
        let locks = LockPlaces { home: Some(folder.to_owned()), ..LockPlaces::default() };
        let node = Node::start_on(chain, config, engine).await.expect("it starts").with_locks(locks);
        let address = node.address();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(node.run(shutdown.clone()));
        let shutdown = shutdown.drop_guard();
        Self { address, http: Client::new(), folder: folder.to_owned(), shutdown, task }
    }

    /// Waits for a `/health` of this kind.
    pub(crate) async fn until(&self, condition: impl Fn(StatusCode, &Value) -> bool) {
        for _ in 0..400 {
            let (code, body) = self.get("/health").await;
            if condition(code, &serde_json::from_slice(&body).expect("it is JSON")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it never comes to that: {:?}", self.get("/health").await);
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        drop(self.shutdown);
        self.task.await.expect("it does not panic").expect("it ends well");
    }

    /// The folder of a class of blobs.
    pub(crate) fn blobs(&self, class: &str) -> PathBuf {
        self.folder.join("provena-node/blobs").join(class)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let answer = self.http.get(self.url(path)).send().await.expect("it answers");
        (answer.status(), answer.bytes().await.expect("it sends all").to_vec())
    }

    pub(crate) async fn blob(&self, root: &Root) -> (StatusCode, Vec<u8>) {
        self.get(&format!("/v1/blobs/{}", hex::encode(root))).await
    }

    /// A PUT of `bytes` under their root, with no reason yet.
    pub(crate) fn put(&self, bytes: &[u8]) -> RequestBuilder {
        let root = content_root(bytes).expect("it is not empty");
        self.put_as(&root, bytes)
    }

    /// A PUT of `bytes` under another name.
    pub(crate) fn put_as(&self, root: &Root, bytes: &[u8]) -> RequestBuilder {
        self.http.put(self.url(&format!("/v1/blobs/{}", hex::encode(root)))).body(bytes.to_vec())
    }

    /// A PUT of `bytes` for a job.
    pub(crate) async fn put_for(&self, job: &Pubkey, bytes: &[u8]) -> Response {
        self.put(bytes).header(JOB_HEADER, job.to_string()).send().await.expect("it answers")
    }

    /// A PUT of `bytes` that `wallet` signed in `slot`.
    pub(crate) async fn put_signed(&self, wallet: &Keypair, slot: u64, bytes: &[u8]) -> Response {
        let root = content_root(bytes).expect("it is not empty");
        signed(self.put(bytes), wallet, &upload(root, bytes.len() as u64, slot)).send().await.expect("it answers")
    }
}

/// An upload to the node called "node" on the test cluster.
pub(crate) fn upload(root: Root, len: u64, slot: u64) -> Upload {
    Upload { cluster: CLUSTER, node: keypair("node").pubkey().to_bytes(), root, len, slot }
}

/// The headers of a signed upload.
pub(crate) fn headers(wallet: &Keypair, upload: &Upload) -> [(&'static str, String); 3] {
    let key = SigningKey::from_bytes(wallet.secret_bytes());
    [
        (WALLET_HEADER, wallet.pubkey().to_string()),
        (SLOT_HEADER, upload.slot.to_string()),
        (SIGNATURE_HEADER, upload.sign(&key)),
    ]
}

/// Adds them to a request.
pub(crate) fn signed(request: RequestBuilder, wallet: &Keypair, upload: &Upload) -> RequestBuilder {
    headers(wallet, upload).into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// The names in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).map(|entries| entries.filter_map(Result::ok).collect()).unwrap_or(vec![]);
    entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
