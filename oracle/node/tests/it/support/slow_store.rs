//! A store behind HTTP that drips some blobs, a byte now and then, and serves what else is in a folder.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use provena_client::store::Root;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

/// The store; dropping it closes it.
pub(crate) struct SlowStore {
    pub url: String,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What it hands out.
struct Shelf {
    folder: PathBuf,
    slow: Vec<String>,
    asked: Arc<AtomicUsize>,
    /// Held while a blob is sent.
    places: Arc<Semaphore>,
}

impl SlowStore {
    /// Of the blobs of a store in `folder`, sending at most `at_once` at the same time: whoever comes later waits.
    pub(crate) async fn start(folder: &Path, slow: &[Root], at_once: usize) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let shelf = Arc::new(Shelf {
            folder: folder.join("blobs"),
            slow: slow.iter().map(hex::encode).collect(),
            asked: Arc::clone(&asked),
            places: Arc::new(Semaphore::new(at_once)),
        });
        let read = move |axum::extract::Path(root): axum::extract::Path<String>| {
            let shelf = Arc::clone(&shelf);
            async move { shelf.send(&root).await }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("some port is free");
        let url = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
        let routes = Router::new().route("/v1/blobs/{root}", get(read));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
        Self { url, asked, task }
    }

    /// How often it was asked for a blob that it drips.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for SlowStore {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shelf {
    async fn send(&self, root: &String) -> Response {
        let slow = self.slow.contains(root);
        self.asked.fetch_add(usize::from(slow), Ordering::SeqCst);
        let place = Arc::clone(&self.places).acquire_owned().await.expect("it is never closed");
        if slow {
            return drip(place).into_response();
        }
        std::fs::read(self.folder.join(root)).map_err(|_| StatusCode::NOT_FOUND).into_response()
    }
}

fn drip(place: OwnedSemaphorePermit) -> Body {
    Body::from_stream(futures_util::stream::unfold(place, |place| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((Ok::<_, Infallible>(vec![0u8]), place))
    }))
}
