//! The service as a whole where no chain is needed: what keeps it from starting, what it serves while it waits.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use provena_client::store::Root;
use provena_node::compute::{Adapter, Computation, Compute, ComputeError, EngineCompute, Prepared, Spent, TimeLimit};
use provena_node::config::{Config, ConfigError};
use provena_node::journal::JournalError;
use provena_node::node::{Node, NodeError};
use tokio_util::sync::CancellationToken;

use crate::support::free_port;

/// A config whose chain is down, in its own folder.
pub(crate) fn config(folder: &Path, port: u16) -> Config {
    let key = solana_keypair::Keypair::new_from_array([9; 32]);
    std::fs::write(folder.join("node.json"), format!("{:?}", key.to_bytes())).unwrap();
    let text = format!(
        "[chain]\nrpc_url = \"http://127.0.0.1:{}\"\ntimeout_s = 1\n[node]\nkey = \"node.json\"\n\
         [engine]\nadapter = \"cpu\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n",
        free_port()
    );
    Config::parse(&text, [], &folder.join("node.toml")).unwrap()
}

pub(crate) fn engine() -> Arc<dyn Compute> {
    Arc::new(EngineCompute::open("cpu", 1 << 30).unwrap())
}

async fn refused(config: Config) -> NodeError {
    match Node::start(config, engine()).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn start_rejects_a_taken_port() {
    let folder = tempfile::tempdir().unwrap();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let error = refused(config(folder.path(), port)).await;
    assert!(matches!(error, NodeError::Config(ConfigError::Listen { .. })), "{error}");
    let text = error.to_string();
    assert!(text.contains(&port.to_string()) && text.contains("[http] listen"), "{text}");
}

#[tokio::test]
async fn start_rejects_a_missing_key() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), 0);
    std::fs::remove_file(folder.path().join("node.json")).unwrap();
    let error = refused(config).await;
    assert!(matches!(error, NodeError::Config(ConfigError::Key { .. })), "{error}");
}

#[tokio::test]
async fn start_rejects_a_second_node_on_the_same_data() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Node::start(config(folder.path(), 0), engine()).await.unwrap();
    let error = refused(config(folder.path(), 0)).await;
    assert!(matches!(error, NodeError::Journal(JournalError::InUse { .. })), "{error}");
}

#[tokio::test]
async fn start_rejects_a_bad_store() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), 0);
    config.store.urls = vec!["s3://bucket".to_owned()];
    let error = refused(config).await.to_string();
    assert!(error.contains("s3://bucket") && error.contains("file://"), "{error}");
}

/// An adapter with a broken driver.
struct Broken;

impl Compute for Broken {
    fn adapter(&self) -> Adapter {
        let text = |text: &str| text.to_owned();
        Adapter { name: text("broken"), backend: text("wgpu"), driver: text("0"), device_type: text("other") }
    }
    fn self_test(&self) -> Result<(), ComputeError> {
        Err(ComputeError::SelfTest { adapter: "broken".to_owned(), reason: "2 + 2 is 5".to_owned() })
    }
    fn is_loaded(&self, _root: &Root) -> bool {
        panic!("nothing may be asked of a broken adapter")
    }
    fn load(&self, _root: &Root, _recipe: &Root, _artifact: &Path) -> Result<(), ComputeError> {
        panic!("nothing may be loaded on a broken adapter")
    }
    fn prepare(&self, _root: &Root, _request: &[u8], _limit: TimeLimit) -> Result<Prepared, ComputeError> {
        panic!("nothing may be asked of a broken adapter")
    }
    fn warm_up(&self, _root: &Root, _like: &Prepared) -> Result<Spent, ComputeError> {
        panic!("nothing may be run on a broken adapter")
    }
    fn run(&self, _: &Root, _: &Prepared, _: &CancellationToken) -> Result<Computation, ComputeError> {
        panic!("nothing may be run on a broken adapter")
    }
}

#[tokio::test]
async fn start_rejects_an_adapter_that_fails_its_self_test() {
    let folder = tempfile::tempdir().unwrap();
    let Err(error) = Node::start(config(folder.path(), 0), Arc::new(Broken)).await else { panic!("it started") };
    assert!(matches!(error, NodeError::Compute(ComputeError::SelfTest { .. })), "{error}");
    assert!(error.to_string().contains("adapter = \"cpu\""), "{error}");
}

#[tokio::test]
async fn a_node_without_a_chain_waits_and_stops_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(config(folder.path(), 0), engine()).await.unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(node.run(shutdown.clone()));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!running.is_finished());
    shutdown.cancel();
    let stopped = tokio::time::timeout(Duration::from_secs(10), running).await.expect("it stops");
    stopped.unwrap().unwrap();
}
