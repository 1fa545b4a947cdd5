//! `GET /metrics`: the counters in the `OpenMetrics` text format.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Api;

pub(super) async fn get(State(api): State<Arc<Api>>) -> impl IntoResponse {
    api.metrics.chain(&api.chain.health());
    api.metrics.readiness(&api.readiness, &api.journal);
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], api.metrics.render())
}
