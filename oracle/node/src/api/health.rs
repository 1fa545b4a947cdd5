//! `GET /health`: 200 while the node works, 503 with the reason while it does not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use provena_client::chain::HealthReport;
use serde::Serialize;

use super::Api;
use crate::compute::Adapter;

/// The answer's body.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    /// "ok", "starting", "unreachable" or "lagging".
    status: &'static str,
    /// The program's version.
    version: &'static str,
    /// The node's authority.
    node: String,
    /// The connection to the chain.
    chain: HealthReport,
    /// What computes.
    adapter: Adapter,
    /// Always "passed": a node whose self-test fails does not start.
    self_test: &'static str,
}

pub(super) async fn get(State(api): State<Arc<Api>>) -> (StatusCode, Json<Health>) {
    let chain = api.chain.health();
    let status = if chain.consecutive_failures > 0 {
        "unreachable"
    } else if !api.watching.load(Ordering::Relaxed) {
        "starting"
    } else if chain.lagging {
        "lagging"
    } else {
        "ok"
    };
    let code = if status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let health = Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        node: api.node.clone(),
        chain,
        adapter: api.adapter.clone(),
        self_test: "passed",
    };
    (code, Json(health))
}
