//! Where the demo plays: a temporary folder, a private chain, a store, and the model's import.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use provena_client::{
    chain::{RpcChain, RpcOptions},
    store::Store,
};
use provena_engine::{
    artifact::Artifact,
    import::{ImportOptions, import},
};
use tempfile::TempDir;
use tokio::{sync::Mutex, task::JoinHandle};

use super::subject::Subject;
use crate::{
    deploy,
    localnet::{Localnet, Options},
};

/// Milliseconds between slots: quick, so that nobody waits for a block.
const SLOT_MS: u64 = 100;

/// How often the folder's removal is tried.
const RETRIES: u32 = 60;

/// The stage. Dropping it kills the chain and removes the folder.
pub(super) struct Stage {
    // Dropped in this order: the chain goes before the folder that it may write to.
    localnet: Localnet,
    chain: Arc<RpcChain>,
    store: Store,
    importing: Mutex<Option<JoinHandle<Result<Artifact>>>>,
    folder: Folder,
}

impl Stage {
    /// Starts the chain and, beside it, the import of the model.
    pub(super) async fn open(subject: &Subject) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("provena-demo-").tempdir().context("cannot make a folder")?;
        let folder = Folder(folder);
        let importing = start_import(subject, folder.path())?;
        let options = Options { slot_ms: Some(SLOT_MS), ..Options::default() };
        let localnet = Localnet::start(&options).await?;
        let options = RpcOptions { ws_url: Some(localnet.ws.clone()), ..RpcOptions::new(&localnet.url) };
        let chain = Arc::new(RpcChain::new(&options)?);
        let store = Store::open(&[format!("file://{}", folder.path().join("store").display())])?;
        Ok(Self { localnet, chain, store, importing: Mutex::new(Some(importing)), folder })
    }

    /// The chain.
    pub(super) fn chain(&self) -> &Arc<RpcChain> {
        &self.chain
    }

    /// Lets transactions that would be too long use the lookup table which setting the programs up has made.
    pub(super) async fn use_tables(&mut self) -> Result<()> {
        let options = RpcOptions { ws_url: Some(self.localnet.ws.clone()), ..RpcOptions::new(&self.localnet.url) };
        let tables = deploy::tables(self.chain.as_ref()).await;
        self.chain = Arc::new(RpcChain::new(&options)?.with_lookup_tables(tables));
        Ok(())
    }

    /// The chain's RPC and WebSocket addresses.
    pub(super) fn urls(&self) -> (&str, &str) {
        (&self.localnet.url, &self.localnet.ws)
    }

    /// Where content lives.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// A path in the stage's folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The imported model; waits for the import. Asked for once.
    pub(super) async fn artifact(&self) -> Result<Artifact> {
        let task = self.importing.lock().await.take().context("the model was imported before")?;
        task.await.context("the import was cut off")?
    }

    /// Stops the chain and removes the folder.
    pub(super) async fn close(self) -> Result<()> {
        self.localnet.stop().await?;
        self.folder.remove().context("cannot remove the demo's folder")
    }
}

/// The demo's folder. Whoever was just killed, or computes for nobody any more, may still write into it, so it is removed again
/// until that works.
struct Folder(TempDir);

impl Folder {
    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remove(&self) -> io::Result<()> {
        let mut left = RETRIES;
        loop {
            match fs::remove_dir_all(self.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    left -= 1;
                    if left == 0 {
                        return Err(error);
                    }
                }
                // Gone, unless somebody makes it again within a moment.
                _ if !self.path().exists() => return Ok(()),
                _ => {}
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.remove());
    }
}

fn start_import(subject: &Subject, folder: &Path) -> Result<JoinHandle<Result<Artifact>>> {
    let (source, calibration) = subject.source(folder)?;
    let out = folder.join("model.pvna");
    let name = Some(subject.model_title.to_owned());
    let options = ImportOptions { source, family: None, name, calibration, context: None, out };
    Ok(tokio::task::spawn_blocking(move || {
        import(&options, &mut |_| {}).context("the model cannot be imported")?;
        Artifact::open(&options.out).context("the imported model cannot be read")
    }))
}
