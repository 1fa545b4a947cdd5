//! The demo's node: a child process, started as anybody would start one.

use std::{
    fs::{self, File},
    net::TcpListener,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use provena_client::{keys, token};
use serde::Deserialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use tokio::process::{Child, Command};

use super::stage::Stage;
use crate::{failure::Failure, localnet};

/// Longest wait for the node: it tests its adapter before it serves, and a driver's first start compiles every kernel.
const PATIENCE: Duration = Duration::from_secs(180);

/// What the demo's token, of six decimals, is worth to the node: a fiftieth of a SOL.
const LAMPORTS_PER_TOKEN: u64 = 20_000_000;

/// A running node. Dropping it kills the process; where the demo is killed itself, the node stops with its standard input.
pub(super) struct Worker {
    child: Child,
    /// What it computes on.
    pub adapter: Adapter,
}

/// What a node says of its adapter.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Adapter {
    /// The device's name.
    pub name: String,
    /// "wgpu" or "cpu".
    pub backend: String,
}

#[derive(Deserialize)]
struct Health {
    adapter: Adapter,
}

impl Worker {
    /// An address on this machine that nobody uses now.
    pub(super) fn endpoint() -> Result<String> {
        let free = TcpListener::bind("127.0.0.1:0").context("cannot find a free port")?;
        Ok(format!("http://{}", free.local_addr()?))
    }

    /// Writes the config file, starts `provena node run`, and waits until it watches the chain.
    ///
    /// # Errors
    /// It ends or does not get ready; the error carries its last words.
    pub(super) async fn start(
        stage: &Stage,
        operator: &Keypair,
        endpoint: &str,
        adapter: &str,
        mint: &Pubkey,
    ) -> Result<Self> {
        let folder = stage.path("node");
        keys::write(&folder.join("node.json"), operator, false)?;
        let config = folder.join("node.toml");
        fs::write(&config, toml(stage, endpoint, adapter, mint))?;
        let log = folder.join("node.log");
        let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
        // What it leaves in the folder for temporary files, a lock for its key, goes with the demo's folder.
        command.args(["node", "run", "--until-stdin-closes", "--config"]).arg(&config).env("TMPDIR", &folder);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the node")?;
        let begun = Instant::now();
        loop {
            if let Some(adapter) = healthy(endpoint).await {
                return Ok(Self { child, adapter });
            }
            let ended = child.try_wait()?;
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let words = fs::read_to_string(&log).unwrap_or_default();
                let last: Vec<&str> = words.lines().rev().take(5).collect();
                let last: Vec<&str> = last.into_iter().rev().collect();
                let what = if ended.is_some() { "ended" } else { "was not ready within three minutes" };
                return Err(Failure::failed(format!("the node {what}: {}", last.join("\n")))
                    .hint("provena demo --adapter cpu   computes without a graphics adapter")
                    .into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks the node to stop and waits for it.
    pub(super) async fn stop(mut self) -> Result<()> {
        localnet::stop(&mut self.child).await
    }
}

async fn healthy(endpoint: &str) -> Option<Adapter> {
    let answer = reqwest::get(format!("{endpoint}/health")).await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    Some(answer.json::<Health>().await.ok()?.adapter)
}

fn toml(stage: &Stage, endpoint: &str, adapter: &str, mint: &Pubkey) -> String {
    let (rpc, ws) = stage.urls();
    let listen = endpoint.trim_start_matches("http://");
    let stores: Vec<String> = stage.store().urls().map(|url| format!("{url:?}")).collect();
    // A node takes tokens only at a rate that its operator has set.
    let mints = match token::is_sol(mint) {
        true => String::new(),
        false => format!("mints = [{{ mint = \"{mint}\", lamports_per_million = {LAMPORTS_PER_TOKEN} }}]\n"),
    };
    format!(
        "[chain]\nrpc_url = {rpc:?}\nws_url = {ws:?}\n\n[node]\nkey = \"node.json\"\ndata = \"data\"\n{mints}\n\
         [store]\nurls = [{}]\n\n[engine]\nadapter = {adapter:?}\n\n[http]\nlisten = {listen:?}\n",
        stores.join(", ")
    )
}
