//! The service: started from a config, stopped by a token, and in between it looks for jobs and does them.

mod error;
mod pulse;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use provena_client::{
    chain::{Backoff, Chain, Combined, SharedChain, accounts::fetch_optional},
    store::{Limits, StoreError},
};
use provena_market::state::{Admin, Node as NodeAccount};
use provena_wire::MAX_REQUEST_LEN;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api::{self, Api, Bodies, MOST_IN_BODIES, Quotes, Stopping, Streams, Uploads};
use crate::blobs::{Blobs, Class, ClassState, Peers};
use crate::compute::Compute;
use crate::config::{Config, ConfigError};
use crate::instance::{self, KeyLock, LockPlaces};
use crate::journal::{self, Journal};
use crate::metrics::Metrics;
use crate::readiness::{DiskClass, Readiness};
use crate::tasks::watch::Watcher;
use crate::tasks::{Collector, Worker, WorkerParts, admission::Attempts};

pub use error::NodeError;
use pulse::Pulse;

/// How long work in flight may go on after the node was asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A node that is set up and serves HTTP, but does not look for jobs yet.
pub struct Node {
    api: Arc<Api>,
    listener: TcpListener,
    address: SocketAddr,
    chain: SharedChain,
    config: Config,
    parts: Parts,
}

/// What becomes the worker once the cluster is known.
struct Parts {
    journal: Journal,
    attempts: Arc<Attempts>,
    compute: Arc<dyn Compute>,
    key: solana_keypair::Keypair,
    models: Vec<Pubkey>,
    locks: LockPlaces,
}

/// Starts the node described by `config` and runs it until `shutdown`.
///
/// # Errors
/// A [`NodeError`] that says what to do.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), NodeError> {
    let engine = crate::compute::engine(&config).await?;
    Node::start(config, engine).await?.run(shutdown).await
}

impl Node {
    /// Checks everything that can be checked without the chain, and takes the port.
    ///
    /// # Errors
    /// A [`NodeError`] that says what to do.
    pub async fn start(config: Config, compute: Arc<dyn Compute>) -> Result<Self, NodeError> {
        let chain = Arc::new(Combined::new(config.connect()?));
        Self::start_on(chain, config, compute).await
    }

    /// As [`Node::start`], on a chain of the caller's choice instead of the RPC server that `config` names.
    ///
    /// # Errors
    /// As for [`Node::start`].
    pub async fn start_on(chain: SharedChain, config: Config, compute: Arc<dyn Compute>) -> Result<Self, NodeError> {
        let key = config.key()?;
        if let Some(warning) = provena_client::keys::readable_by_others(&config.node.key) {
            tracing::warn!("{warning}");
        }
        let models = config.models()?;
        let listen = config.http.listen;
        let taken = |error: std::io::Error| ConfigError::Listen { listen, reason: error.to_string() };
        let listener = TcpListener::bind(listen).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;

        let data = &config.node.data;
        let unusable =
            |error: std::io::Error| StoreError::Folder { path: data.display().to_string(), reason: error.to_string() };
        std::fs::create_dir_all(data).map_err(&unusable)?;
        // A file:// URL needs an absolute path.
        let data = data.canonicalize().map_err(&unusable)?;
        let journal = Journal::open(&data.join(journal::FILE_NAME))?;
        let attempts = Arc::new(Attempts::open(&data.join("attempts")).map_err(unusable)?);
        let limits = Limits { timeout: Duration::from_secs(config.store.timeout_s), ..Limits::default() };
        let peers = Peers::new(Arc::clone(&chain), key.pubkey(), config.reach());
        let store = Blobs::open(&data.join("blobs"), config.store.quotas(), &config.store.urls, limits)?;
        let store = store.with_peers(peers);
        // Where earlier versions kept them.
        let large = |len| if len > MAX_REQUEST_LEN as u64 { Class::Artifact } else { Class::Input };
        store.adopt(&data.join("public/blobs"), large).map_err(unusable)?;
        store.adopt(&data.join("private/blobs"), |_| Class::Sealed).map_err(unusable)?;

        let tested = Arc::clone(&compute);
        let test = tokio::task::spawn_blocking(move || tested.self_test()).await;
        test.map_err(|error| NodeError::Task(error.to_string()))??;

        let classes = {
            let store = store.clone();
            let class =
                |class: ClassState| DiskClass { name: class.class.name(), used: class.bytes, quota: class.quota };
            Arc::new(move || store.state().classes.into_iter().map(class).collect())
        };
        let readiness = Arc::new(Readiness::new(Arc::clone(&chain), journal.clone(), data.clone(), classes));
        let api = Arc::new(Api {
            chain: Arc::clone(&chain),
            cluster: OnceLock::new(),
            store,
            metrics: Arc::new(Metrics::default()),
            adapter: compute.adapter(),
            me: key.pubkey(),
            node: key.pubkey().to_string(),
            journal: journal.clone(),
            http: config.http.clone(),
            instance: instance::new_id(),
            readiness,
            uploads: Uploads::new(config.http.address_connections > 0),
            quotes: Quotes::new(config.http.address_connections > 0),
            worker: OnceLock::new(),
            streams: Streams::new(config.http.address_connections > 0),
            bodies: Bodies::new(MOST_IN_BODIES, config.http.address_connections > 0),
        });
        let parts = Parts { journal, attempts, compute, key, models, locks: LockPlaces::of_this_user() };
        Ok(Self { api, listener, address, chain, config, parts })
    }

    /// Holds the lock of its key elsewhere than where this user's processes look for it: for nodes of one key that share a
    /// machine and nothing else, as in tests.
    #[must_use]
    pub fn with_locks(mut self, places: LockPlaces) -> Self {
        self.parts.locks = places;
        self
    }

    /// Where HTTP is served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The crash log.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.api.journal.clone()
    }

    /// Runs until `shutdown`; work in flight is finished or left for the next start.
    ///
    /// # Errors
    /// A [`NodeError`] that says what to do.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), NodeError> {
        let Self { api, listener, address, chain, config, parts } = self;
        let serving = CancellationToken::new();
        let stopping = Stopping(shutdown.clone());
        let mut server = tokio::spawn(api::serve(listener, Arc::clone(&api), stopping, serving.clone()));
        tracing::info!(http = %format!("http://{address}"), node = api.node, adapter = api.adapter.name, backend = api.adapter.backend, "serving");
        let tending = tokio::spawn({
            let (store, closing) = (api.store.clone(), serving.clone());
            async move { store.tend(closing).await }
        });
        let attempts = Arc::clone(&parts.attempts);
        let worked = work(&api, chain, &config, parts, &shutdown).await;
        api.readiness.watch(false);
        serving.cancel();
        if tokio::time::timeout(GRACE, &mut server).await.is_err() {
            tracing::warn!("a request was still open; closing without it");
            server.abort();
        }
        // Last, when nothing more is begun: what is being prepared now ends with the process, which does not end because of it.
        attempts.stop();
        tending.await.map_err(|error| NodeError::Task(error.to_string()))?;
        worked
    }
}

async fn work(
    api: &Arc<Api>,
    chain: SharedChain,
    config: &Config,
    parts: Parts,
    shutdown: &CancellationToken,
) -> Result<(), NodeError> {
    let me = parts.key.pubkey();
    let Some(cluster) = admitted(chain.as_ref(), &me, shutdown).await? else { return Ok(()) };
    let _lock = KeyLock::take_in(&parts.locks, &me, &cluster)?;
    api.cluster.get_or_init(|| cluster);
    let poll = Duration::from_secs(config.chain.poll_s);
    let pulse = Pulse {
        poll,
        chain: Arc::clone(&chain),
        journal: api.journal.clone(),
        readiness: Arc::clone(&api.readiness),
        node: me,
        instance: api.instance.clone(),
    };
    pulse.begin().await?;
    let worker = Arc::new(Worker::new(WorkerParts {
        chain: Arc::clone(&chain),
        cluster,
        store: api.store.clone(),
        private: api.store.private(),
        journal: parts.journal,
        compute: parts.compute,
        key: parts.key,
        metrics: Arc::clone(&api.metrics),
        readiness: Arc::clone(&api.readiness),
        budget: config.budget(),
        models: parts.models,
        limits: config.limits()?,
        attempts: parts.attempts,
        max_computing: config.node.max_computing,
        max_artifact_bytes: config.node.max_artifact_bytes,
        poll,
    }));
    api.worker.get_or_init(|| Arc::clone(&worker));
    for (key, record) in worker.journal().in_progress() {
        tracing::info!(job = %key.job, sent = ?record.sent, "taking up a job that was begun before");
    }
    let awaiting = worker.journal().awaiting_pay().len();
    if awaiting > 0 {
        tracing::info!(jobs = awaiting, "decided jobs have yet to pay");
    }
    let closing = shutdown.child_token();
    let collector = tokio::spawn(Collector::new(Arc::clone(&worker), poll).run(closing.clone()));
    let watcher = tokio::spawn(Watcher::new(worker, poll).run(closing.clone()));
    let pulse = tokio::spawn(pulse.run(closing.clone()));
    api.readiness.watch(true);
    tracing::info!(node = %me, cluster = %Pubkey::from(cluster), "watching for jobs");
    let aborts = [watcher.abort_handle(), collector.abort_handle()];
    let too_long = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    // Whichever ends first ends the other: neither goes on without the crash log.
    let worked = async {
        let (mut watcher, mut collector) = (watcher, collector);
        tokio::select! {
            watched = &mut watcher => {
                closing.cancel();
                [watched, collector.await]
            }
            collected = &mut collector => {
                closing.cancel();
                [collected, watcher.await]
            }
        }
    };
    let ended = tokio::select! {
        ended = worked => ended,
        () = too_long => {
            // Every effect is in the crash log first, so stopping here loses nothing.
            tracing::warn!("work in flight takes too long; the next start goes on with it");
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
            [Ok(Ok(())), Ok(Ok(()))]
        }
    };
    closing.cancel();
    drop(pulse.await);
    for ended in ended {
        ended.map_err(|error| NodeError::Task(error.to_string()))??;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Waits for the chain, then checks that this is the market's cluster and that the node is registered. `None` when
/// asked to stop meanwhile.
async fn admitted(chain: &dyn Chain, me: &Pubkey, shutdown: &CancellationToken) -> Result<Option<[u8; 32]>, NodeError> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(15));
    loop {
        match admission(chain, me).await {
            Err(NodeError::Chain(error)) if error.is_transient() => {
                let delay = backoff.failed();
                tracing::warn!(%error, ?delay, "waiting for the chain");
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    () = shutdown.cancelled() => return Ok(None),
                }
            }
            other => return other.map(Some),
        }
    }
}

async fn admission(chain: &dyn Chain, me: &Pubkey) -> Result<[u8; 32], NodeError> {
    let cluster = chain.cluster().await?;
    let market = fetch_optional::<Admin, _>(chain, &provena_market::pda::admin().0).await?;
    let market = market.ok_or(NodeError::NoMarket)?;
    if market.cluster != cluster {
        return Err(NodeError::WrongCluster { market: Pubkey::from(market.cluster), rpc: Pubkey::from(cluster) });
    }
    let node = fetch_optional::<NodeAccount, _>(chain, &provena_market::pda::node(me).0).await?;
    let node = node.ok_or(NodeError::NotRegistered(*me))?;
    tracing::info!(stake = node.stake, locked = node.locked, "registered");
    chain.slot().await?;
    Ok(cluster)
}
