//! What the node serves over HTTP.
//!
//! Nobody who connects is trusted. [`server`] bounds what connections cost, [`paced`] ends those that are kept open by a
//! drip, [`uploads`] takes nothing without a reason, and no route holds in memory what a stranger sends at length.

mod blobs;
mod body;
mod connections;
mod health;
mod known;
mod metrics;
mod paced;
mod quotes;
mod rate;
mod receipts;
mod refused;
mod server;
mod shares;
mod uploads;

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Extension, Router};
use provena_client::chain::SharedChain;
use provena_wire::MAX_REQUEST_LEN;
use solana_pubkey::Pubkey;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::blobs::Blobs;
use crate::compute::Adapter;
use crate::config::HttpConfig;
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::tasks::Worker;

pub(crate) use blobs::Streams;
pub(crate) use body::Bodies;
pub(crate) use quotes::Quotes;
pub(crate) use uploads::Uploads;

/// Bytes of bodies that are held in memory whole, all together.
pub(crate) const MOST_IN_BODIES: usize = 64 << 20;

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
    /// The crash log, for its receipts and its health.
    pub journal: Journal,
    /// Limits on connections and uploads.
    pub http: HttpConfig,
    /// A name for this process.
    pub instance: String,
    /// Whether the node can earn.
    pub readiness: Arc<Readiness>,
    /// Who uploads what, and how much.
    pub uploads: Uploads,
    /// Who asks for quotes, and how often.
    pub quotes: Quotes,
    /// Who judges jobs, once the cluster is known.
    pub worker: OnceLock<Arc<Worker>>,
    /// Blobs that are being sent.
    pub streams: Streams,
    /// Room for bodies that a route needs whole.
    pub bodies: Bodies,
}

/// Cancelled as soon as the node was asked to stop, when it may still finish what it owes.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(pub CancellationToken);

/// Serves until `closing`; requests in progress are finished, if that takes a moment only.
pub(crate) async fn serve(listener: TcpListener, api: Arc<Api>, stopping: Stopping, closing: CancellationToken) {
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
        .route("/v1/quotes/{offer}", post(quotes::post))
        .route("/v1/receipts/{job}", get(receipts::get))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_LEN))
        .layer(Extension(stopping))
        .with_state(api);
    server::serve(listener, routes, limits, metrics, closing).await;
}
