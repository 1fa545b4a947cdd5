//! A node in a process of its own, so that its memory is its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use provena_arith::merkle::content_root;
use provena_node::compute::EngineCompute;
use provena_node::node::Node;
use tokio_util::sync::CancellationToken;

use super::localnet::Localnet;
use super::serving::config;

/// Set for the other process: its folder, RPC and WebSocket server and settings, one a line.
const CHILD: &str = "PROVENA_TEST_NODE";

/// The other process: a node and nothing else. It is no test: without the settings of those that start it, it does nothing.
#[test]
fn a_process_of_its_own() {
    let Ok(settings) = std::env::var(CHILD) else { return };
    let mut lines = settings.splitn(4, '\n');
    let mut next = || lines.next().expect("four lines").to_owned();
    let (folder, rpc_url, ws_url, sections) = (next(), next(), next(), next());
    let runtime = provena_node::runtime::new().unwrap();
    runtime.block_on(async {
        let mut config = config(Path::new(&folder), &rpc_url, &sections);
        config.chain.ws_url = Some(ws_url);
        config.http.listen.set_port(0);
        let engine = Arc::new(EngineCompute::open("cpu", 1 << 30).unwrap());
        let node = Node::start(config, engine).await.unwrap();
        // On a line of its own: the harness writes, too.
        eprintln!("\naddress={}", node.address());
        node.run(CancellationToken::new()).await.unwrap();
    });
}

/// A node in a process of its own.
pub(crate) struct Process {
    child: Child,
    pub address: SocketAddr,
    pub folder: tempfile::TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Process {
    /// Starts it and waits until it works. `artifact` lies in its store; `sections` follows `[node]` in its settings.
    pub(crate) async fn start(localnet: &Localnet, sections: &str, artifact: Option<&[u8]>) -> Self {
        let process = Self::launch(localnet, sections, artifact);
        for _ in 0..600 {
            if process.get("/health").await == 200 {
                return process;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it never works");
    }

    /// Starts it. Its temporary folder is its own, as on a machine of its own: it sees no lock of others.
    pub(crate) fn launch(localnet: &Localnet, sections: &str, artifact: Option<&[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some(bytes) = artifact {
            let artifacts = folder.path().join("provena-node/blobs/artifacts");
            std::fs::create_dir_all(&artifacts).unwrap();
            std::fs::write(artifacts.join(hex::encode(content_root(bytes).unwrap())), bytes).unwrap();
        }
        let (rpc, ws) = (&localnet.rpc_url, &localnet.ws_url);
        let settings = format!("{}\n{rpc}\n{ws}\n{sections}", folder.path().display());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "support::process::a_process_of_its_own", "--nocapture"])
            .env(CHILD, settings)
            .env("TMPDIR", folder.path())
            .env("XDG_CACHE_HOME", folder.path())
            .env_remove("XDG_RUNTIME_DIR")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("address=")?.parse().ok()).expect("it says where it is");
        // Nobody waits for what else it writes, and it must not wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, folder }
    }

    /// What it says of itself; `None` while it does not answer.
    pub(crate) async fn health(&self) -> Option<serde_json::Value> {
        reqwest::get(format!("http://{}/health", self.address)).await.ok()?.json().await.ok()
    }

    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&serde_json::Value) -> bool) {
        for _ in 0..600 {
            if self.health().await.is_some_and(|health| condition(&health)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never {what}: {:?}", self.health().await);
    }

    pub(crate) async fn get(&self, path: &str) -> u16 {
        let answer = reqwest::get(format!("http://{}{path}", self.address)).await;
        match answer {
            Ok(answer) => answer.status().as_u16(),
            Err(_) => 0,
        }
    }

    /// Bytes of memory that it has.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("this is Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says so");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
    }
}
