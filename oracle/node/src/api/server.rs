//! The server below the routes: what a connection may cost before, between and during requests.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::connections::{Connected, Connection, Connections};
use super::paced::{BusyBody, PacedBody, PacedStream};
use crate::metrics::Metrics;

/// Bytes of headers that are read, and about what a connection buffers in each direction.
const BUFFER: usize = 16 << 10;

/// Header lines of one request.
const MOST_HEADERS: usize = 64;

/// Requests on one connection; then it is closed, and its place goes to whoever asks next.
const MOST_REQUESTS: u32 = 1_000;

/// Pause after the system refused a connection, as when files run out.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// The longest that a request in progress may take once the node stops: an answer is on its way in less, and whoever takes
/// or sends slowly may come back.
const LAST: Duration = Duration::from_secs(1);

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address; 0 for no limit.
    pub per_address: usize,
    /// Longest wait for headers, and for a body or a reader that is too slow.
    pub patience: Duration,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remote(pub IpAddr);

/// Serves until `closing`, then finishes the requests in progress.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: Limits,
    metrics: Arc<Metrics>,
    closing: CancellationToken,
) {
    let all = Arc::new(Connections::new(limits.connections, limits.per_address));
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next(), if !open.is_empty() => continue,
            () = closing.cancelled() => break,
        };
        match accepted {
            Ok((stream, remote)) => match all.admit(remote.ip()) {
                Some(place) => {
                    let served =
                        connection(stream, Remote(remote.ip()), routes.clone(), limits, place, closing.clone());
                    open.spawn(served);
                }
                None => metrics.connection_refused(),
            },
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
    while open.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    remote: Remote,
    routes: Router,
    limits: Limits,
    place: Connected,
    closing: CancellationToken,
) {
    let Limits { patience, .. } = limits;
    let connection = Arc::clone(&place.connection);
    let ended = connection.ended.clone();
    let service = service_fn(move |request| answer(request, remote, routes.clone(), Arc::clone(&connection), patience));
    let io = TokioIo::new(PacedStream::new(stream, patience));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(BUFFER)
        .max_headers(MOST_HEADERS)
        .serve_connection(io, service);
    let mut serving = std::pin::pin!(serving);
    let served = tokio::select! {
        served = &mut serving => served,
        () = ended.cancelled() => return,
        () = closing.cancelled() => {
            serving.as_mut().graceful_shutdown();
            match tokio::time::timeout(LAST, serving).await {
                Ok(served) => served,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(remote = %remote.0, %error, "a connection ended");
    }
    drop(place);
}

async fn answer(
    request: Request<Incoming>,
    remote: Remote,
    routes: Router,
    connection: Arc<Connection>,
    patience: Duration,
) -> Result<Response, Infallible> {
    let (busy, number) = connection.begin();
    let mut request = request.map(|body| Body::new(PacedBody::new(body, patience)));
    request.extensions_mut().insert(remote);
    let mut response = routes.oneshot(request).await?.map(|body| Body::new(BusyBody::new(body, busy)));
    if number >= MOST_REQUESTS {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
