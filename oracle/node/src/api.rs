//! What the node serves over HTTP.

mod blobs;
mod health;
mod metrics;
mod receipts;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use provena_client::{chain::SharedChain, store::Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::compute::Adapter;
use crate::config::HttpConfig;
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::readiness::Readiness;

/// What the routes share.
pub(crate) struct Api {
    /// The chain, for its health.
    pub chain: SharedChain,
    /// The public blobs.
    pub store: Store,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What computes.
    pub adapter: Adapter,
    /// The node's authority, base58.
    pub node: String,
    /// The crash log, for its receipts and its health.
    pub journal: Journal,
    /// Limits on uploads.
    pub http: HttpConfig,
    /// A name for this process.
    pub instance: String,
    /// Whether the node can earn.
    pub readiness: Arc<Readiness>,
    /// Bytes taken from others since the start.
    pub uploaded: AtomicU64,
}

/// Serves until `closing`; requests in progress are finished.
///
/// # Errors
/// The listener's, which does not happen once it is bound.
pub(crate) async fn serve(listener: TcpListener, api: Arc<Api>, closing: CancellationToken) -> std::io::Result<()> {
    let limit = usize::try_from(api.http.max_upload_bytes).unwrap_or(usize::MAX);
    let routes = Router::new()
        .route("/health", get(health::get))
        .route("/metrics", get(metrics::get))
        .route("/v1/blobs/{root}", get(blobs::get).put(blobs::put))
        .route("/v1/receipts/{job}", get(receipts::get))
        .layer(DefaultBodyLimit::max(limit))
        .with_state(api);
    axum::serve(listener, routes).with_graceful_shutdown(async move { closing.cancelled().await }).await
}
