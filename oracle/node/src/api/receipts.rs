//! `GET /v1/receipts/{job}`: the node's signed receipt for a job.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use solana_pubkey::Pubkey;

use super::Api;

pub(super) async fn get(State(api): State<Arc<Api>>, Path(job): Path<String>) -> Response {
    let Ok(job) = job.parse::<Pubkey>() else {
        return (StatusCode::BAD_REQUEST, "a job is named by its address in base58\n").into_response();
    };
    match tokio::task::spawn_blocking(move || api.journal.receipt(&job)).await {
        Ok(Some(receipt)) => Json(receipt).into_response(),
        Ok(None) => {
            (StatusCode::NOT_FOUND, "this node has signed no receipt for this job, or long ago\n").into_response()
        }
        Err(error) => {
            tracing::error!(%job, ?error, "a receipt cannot be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "the receipt cannot be read\n").into_response()
        }
    }
}
