//! What the node serves over HTTP.
//!
//! Nobody who connects is trusted. [`server`] bounds what connections cost, [`paced`] ends those that are kept open by a
//! drip, [`uploads`] takes nothing without a reason, and no route holds in memory what a stranger sends at length.

mod blobs;
mod connections;
mod health;
mod metrics;
mod paced;
mod rate;
mod receipts;
mod refused;
mod server;
mod uploads;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use provena_client::chain::SharedChain;
use provena_wire::MAX_REQUEST_LEN;
use solana_pubkey::Pubkey;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::blobs::Blobs;
use crate::compute::Adapter;
use crate::config::HttpConfig;
use crate::metrics::Metrics;

pub(crate) use uploads::Uploads;

/// Blobs that are sent at the same time, each with a buffer.
pub(crate) const MOST_STREAMS: usize = 256;

/// What the routes share.
pub(crate) struct Api {
    /// The chain, for its health and for the reasons of uploads.
    pub chain: SharedChain,
    /// Genesis hash of the cluster, once it is known.
    pub cluster: OnceLock<[u8; 32]>,
    /// The node's own store.
    pub store: Blobs,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What computes.
    pub adapter: Adapter,
    /// The node's authority.
    pub me: Pubkey,
    /// The same in base58.
    pub node: String,
    /// Folder of the receipt files.
    pub receipts: PathBuf,
    /// Limits on connections and uploads.
    pub http: HttpConfig,
    /// Set once the node looks for jobs.
    pub watching: AtomicBool,
    /// Who uploads what, and how much.
    pub uploads: Uploads,
    /// One permit for each blob that is being sent.
    pub streams: Arc<Semaphore>,
}

/// Serves until `closing`; requests in progress are finished.
pub(crate) async fn serve(listener: TcpListener, api: Arc<Api>, closing: CancellationToken) {
    let limits = server::Limits {
        connections: api.http.connections,
        per_address: api.http.address_connections,
        patience: Duration::from_secs(api.http.timeout_s),
    };
    let metrics = Arc::clone(&api.metrics);
    let routes = Router::new()
        .route("/health", get(health::get))
        .route("/metrics", get(metrics::get))
        .route("/v1/blobs/{root}", get(blobs::get).put(blobs::put))
        .route("/v1/receipts/{job}", get(receipts::get))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_LEN))
        .with_state(api);
    server::serve(listener, routes, limits, metrics, closing).await;
}
