//! `GET`, `HEAD` and `PUT /v1/blobs/{root}`: the node's blobs by content root, from and to the disk piece by piece.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use provena_client::store::Root;
use provena_wire::{MAX_REQUEST_LEN, root};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Semaphore;
use tokio_util::io::ReaderStream;

use super::Api;
use super::body::{broken, drain};
use super::connections::party;
use super::refused::Refused;
use super::server::Remote;
use super::shares::Shares;
use super::uploads::{Claim, Reason};
use crate::blobs::{BlobError, Checked, Class, Found, NoRoom};

/// Bytes of a blob that are in memory while it is sent.
const PIECE: usize = 32 << 10;

/// What is not longer is sent at once and holds no place: whoever takes artifacts slowly keeps nobody's answer from him.
const SHORT: u64 = 64 << 10;

/// Longer blobs that are sent at the same time, in all and to one address.
const MOST: usize = 256;
const MOST_OF_ONE: usize = 16;

fn named(root: &str) -> Result<Root, Refused> {
    root::parse(root).ok_or_else(|| Refused::new(StatusCode::BAD_REQUEST, "a blob is named by 64 hex digits"))
}

/// Only what lies on this machine is served: a request must not make the node fetch from elsewhere.
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    Extension(remote): Extension<Remote>,
    Path(root): Path<String>,
) -> Result<Response, Refused> {
    let root = named(&root)?;
    let unreadable = |error| {
        tracing::error!(?error, "a blob cannot be read");
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "the blob cannot be read")
    };
    let (len, body) = match api.store.served(&root).await.map_err(unreadable)? {
        None => return Err(Refused::new(StatusCode::NOT_FOUND, "no such blob here")),
        Some(Found::Memory(bytes)) => (bytes.len() as u64, Body::from(bytes)),
        Some(Found::File(found)) if found.len <= SHORT => {
            (found.len, Body::from(whole(found).await.map_err(unreadable)?))
        }
        Some(Found::File(found)) => (found.len, api.streams.body(found, remote)?),
    };
    api.metrics.blob_served();
    // What a root names never changes.
    let headers = [(CONTENT_TYPE, "application/octet-stream"), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, [(CONTENT_LENGTH, len)], body).into_response())
}

/// A short blob.
async fn whole(found: Checked) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tokio::fs::File::from_std(found.file).take(found.len).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Blobs that are being sent piece by piece: so many in all, and so many to one address.
pub(crate) struct Streams {
    all: Arc<Semaphore>,
    of_one: Arc<Shares>,
}

impl Streams {
    /// `by_address`: whether limits hold for each address, which they cannot behind a proxy.
    pub(crate) fn new(by_address: bool) -> Self {
        Self { all: Arc::new(Semaphore::new(MOST)), of_one: Shares::new(if by_address { MOST_OF_ONE } else { 0 }) }
    }

    fn body(&self, found: Checked, remote: Remote) -> Result<Body, Refused> {
        let share = self.of_one.take(party(remote.0));
        let share = share.ok_or_else(|| Refused::busy(2, "enough blobs are sent to this address at this moment"))?;
        let place = Arc::clone(&self.all).try_acquire_owned();
        let place = place.map_err(|_| Refused::busy(2, "too many blobs are sent at this moment"))?;
        let mut file = tokio::fs::File::from_std(found.file);
        file.set_max_buf_size(PIECE);
        // The place is free again when the last piece is gone.
        let held = ReaderStream::with_capacity(file, PIECE).map(move |piece| {
            let _held = (&share, &place);
            piece
        });
        Ok(Body::from_stream(held))
    }
}

pub(super) async fn put(
    State(api): State<Arc<Api>>,
    Extension(remote): Extension<Remote>,
    Path(root): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut body = body;
    match take(&api, remote, &root, &headers, &mut body).await {
        Ok(status) => {
            if status == StatusCode::CREATED {
                api.metrics.blob_taken();
            } else {
                drain(body).await;
            }
            status.into_response()
        }
        Err(refused) => {
            api.metrics.upload_refused();
            tracing::debug!(remote = %remote.0, root, status = %refused.status, words = refused.words, "an upload was refused");
            drain(body).await;
            refused.into_response()
        }
    }
}

async fn take(
    api: &Api,
    remote: Remote,
    root: &str,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<StatusCode, Refused> {
    let root = named(root)?;
    if !api.http.uploads {
        return Err(Refused::new(StatusCode::FORBIDDEN, "this node takes no uploads"));
    }
    let most = api.http.max_upload_bytes.min(MAX_REQUEST_LEN as u64);
    let announced = headers.get(CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse::<u64>().ok());
    let Some(len) = announced else {
        return Err(Refused::new(StatusCode::LENGTH_REQUIRED, "say how long the blob is: send content-length"));
    };
    let too_large = || Refused::new(StatusCode::PAYLOAD_TOO_LARGE, format!("an upload has at most {most} bytes"));
    if len > most {
        return Err(too_large());
    }
    let claim = Claim::read(headers)?;
    api.uploads.may_ask(remote)?;
    if api.store.has(&root, matches!(claim, Claim::Wallet { .. })) {
        return Ok(StatusCode::OK);
    }
    let reason = api.reason(&claim, &root, len).await?;
    let (class, holder) = match reason {
        Reason::Job { .. } if api.store.promote(&root) => return Ok(StatusCode::OK),
        Reason::Job { payer } => (Class::Input, payer),
        Reason::Wallet(wallet) => (Class::Upload, wallet),
    };
    let _arriving = api.uploads.arrive(remote)?;
    let refused = |error: BlobError| match error {
        BlobError::NoRoom(NoRoom::Busy { .. }) => {
            Refused::later(StatusCode::SERVICE_UNAVAILABLE, 2, "too many uploads at this moment; try again in 2 s")
        }
        BlobError::NoRoom(_) => Refused::new(StatusCode::INSUFFICIENT_STORAGE, "this node has no room at this moment"),
        BlobError::TooLarge { .. } => too_large(),
        error @ BlobError::Mismatch { .. } => Refused::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
        BlobError::Io(error) => {
            tracing::error!(?error, "a blob cannot be stored");
            Refused::new(StatusCode::INSUFFICIENT_STORAGE, "this node cannot store anything at this moment")
        }
    };
    let mut draft = api.store.draft(class, len, len).await.map_err(refused)?.held_for(holder.to_bytes());
    let mut pieces = std::mem::take(body).into_data_stream();
    while let Some(piece) = pieces.next().await {
        draft.write(&piece.map_err(|error| broken(&error))?).await.map_err(refused)?;
    }
    draft.keep(&root).await.map_err(refused)?;
    Ok(StatusCode::CREATED)
}
