//! `GET /v1/receipts/{job}`: the node's signed receipt for a job.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use solana_pubkey::Pubkey;

use super::Api;

pub(super) async fn get(State(api): State<Arc<Api>>, Path(job): Path<String>) -> Response {
    // Parsing first also keeps paths such as `..` out of the file's name.
    let Ok(job) = job.parse::<Pubkey>() else {
        return (StatusCode::BAD_REQUEST, "a job is named by its address in base58\n").into_response();
    };
    match tokio::fs::read(api.receipts.join(format!("{job}.json"))).await {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            (StatusCode::NOT_FOUND, "this node has signed no receipt for this job\n").into_response()
        }
        Err(error) => {
            tracing::error!(%job, ?error, "a receipt cannot be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "the receipt cannot be read\n").into_response()
        }
    }
}
