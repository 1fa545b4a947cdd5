//! `GET` and `PUT /v1/blobs/{root}`: the node's public blobs, by content root.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use provena_client::store::StoreError;
use provena_wire::root;

use super::Api;

const NOT_A_ROOT: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "a blob is named by 64 hex digits\n");

/// Only what lies on this machine is served: a request must not make the node fetch from elsewhere.
pub(super) async fn get(State(api): State<Arc<Api>>, Path(root): Path<String>) -> Response {
    let Some(root) = root::parse(&root) else { return NOT_A_ROOT.into_response() };
    match api.store.get_local(&root).await {
        Ok(bytes) => {
            api.metrics.blob_served();
            // What a root names never changes.
            let headers =
                [(CONTENT_TYPE, "application/octet-stream"), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
            (headers, bytes).into_response()
        }
        Err(error) if error.is_absent() => (StatusCode::NOT_FOUND, "no such blob here\n").into_response(),
        Err(error) => {
            tracing::error!(?error, "a blob cannot be read");
            (StatusCode::INTERNAL_SERVER_ERROR, "the blob cannot be read\n").into_response()
        }
    }
}

pub(super) async fn put(State(api): State<Arc<Api>>, Path(root): Path<String>, body: Bytes) -> Response {
    let Some(root) = root::parse(&root) else { return NOT_A_ROOT.into_response() };
    if !api.http.uploads {
        return (StatusCode::FORBIDDEN, "this node takes no uploads\n").into_response();
    }
    if api.store.get_local(&root).await.is_ok() {
        return StatusCode::OK.into_response();
    }
    let len = body.len() as u64;
    let allowed = api.http.max_upload_total_bytes;
    let counted = api.uploaded.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |total| {
        total.checked_add(len).filter(|total| *total <= allowed)
    });
    if counted.is_err() {
        return (StatusCode::INSUFFICIENT_STORAGE, "this node's room for uploads is used up\n").into_response();
    }
    match api.store.put_as_local(&root, body).await {
        Ok(()) => {
            api.metrics.blob_taken();
            StatusCode::CREATED.into_response()
        }
        Err(error) => {
            api.uploaded.fetch_sub(len, Ordering::Relaxed);
            match error {
                StoreError::Mismatch { .. } => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")).into_response(),
                error => {
                    tracing::error!(?error, "a blob cannot be stored");
                    (StatusCode::INTERNAL_SERVER_ERROR, "the blob cannot be stored\n").into_response()
                }
            }
        }
    }
}
