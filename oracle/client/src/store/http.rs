//! Blobs behind HTTP: another node's `/v1`, or an object storage that speaks GET and PUT.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::stream::unfold;
use futures_util::{Stream, StreamExt};
use reqwest::{Client, Response, StatusCode};

use super::{Bytes, Limits, Pieces, Place, Root, StoreError, key};
use crate::reach::{Reach, causes};

/// Bytes per second that a store must send, or take, at least: one that drips holds whoever waits for it without ever being silent.
const LEAST_RATE: u64 = 8 << 10;

/// Bytes of a refusal that are read.
const MOST_WORDS: usize = 1 << 10;

/// A URL prefix under which blobs are at `blobs/<hex root>`.
#[derive(Debug)]
pub(super) struct Http {
    server: Server,
    client: Client,
}

/// Who answers there.
#[derive(Debug, Clone)]
struct Server {
    url: String,
    /// Whether it is a stranger's, who may have named somebody else's server: its words are repeated to nobody.
    strange: bool,
}

impl Http {
    pub(super) fn open(url: &str, limits: &Limits) -> Result<Self, StoreError> {
        let client = Client::builder().connect_timeout(limits.timeout).build();
        let client = client.map_err(|error| StoreError::BadUrl { url: url.to_owned(), reason: error.to_string() })?;
        Ok(Self { server: Server::at(url, false), client })
    }

    /// A stranger's: see [`super::Store::open_strangers`].
    pub(super) fn open_strangers(url: &str, reach: Reach) -> Result<Self, StoreError> {
        let client = reach.client(url).map_err(|reason| StoreError::BadUrl { url: url.to_owned(), reason })?;
        Ok(Self { server: Server::at(url, true), client: client.clone() })
    }

    fn at(&self, root: &Root) -> String {
        format!("{}/{}", self.server.url, key(root))
    }
}

impl Server {
    fn at(url: &str, strange: bool) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), strange }
    }

    /// What comes of a request, or of the wait for the next piece of its answer, if that is in time.
    async fn within<T>(
        &self,
        patience: Duration,
        answer: impl Future<Output = Result<T, reqwest::Error>>,
    ) -> Result<T, StoreError> {
        let answer = tokio::time::timeout(patience, answer).await;
        let late = |_| self.failed(format!("it does not answer within {} s", patience.as_secs_f32()));
        answer.map_err(late)?.map_err(|error| self.failed(if self.strange { causes(&error) } else { in_full(&error) }))
    }

    async fn refused(&self, mut response: Response, patience: Duration) -> StoreError {
        let status = response.status();
        if self.strange {
            return self.failed(format!("HTTP {status}"));
        }
        let mut words = Vec::new();
        while words.len() < MOST_WORDS
            && let Ok(Some(piece)) = self.within(patience, response.chunk()).await
        {
            words.extend_from_slice(&piece);
        }
        let words: String = String::from_utf8_lossy(&words).chars().take(200).collect();
        self.failed(format!("HTTP {status} {}", words.trim()))
    }

    /// The pieces of an answer, each of which must come within `patience`. Nothing comes after a failure.
    fn pieces(self, response: Response, patience: Duration) -> impl Stream<Item = Result<Bytes, StoreError>> {
        unfold(Some((self, response)), move |rest| async move {
            let (server, mut response) = rest?;
            match server.within(patience, response.chunk()).await {
                Ok(piece) => piece.map(|piece| (Ok(piece), Some((server, response)))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    fn failed(&self, reason: String) -> StoreError {
        StoreError::Failed { url: self.url.clone(), reason }
    }
}

/// An error with its causes, for an operator.
fn in_full(error: &reqwest::Error) -> String {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    reason
}

#[async_trait]
impl Place for Http {
    async fn read(&self, root: &Root, limits: &Limits) -> Result<Option<Pieces>, StoreError> {
        let Limits { max_blob, timeout } = *limits;
        let response = self.server.within(timeout, self.client.get(self.at(root)).send()).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !response.status().is_success() {
            return Err(self.server.refused(response, timeout).await);
        }
        let announced = response.content_length().unwrap_or(0);
        if announced > max_blob {
            return Err(StoreError::TooLarge { len: announced, limit: max_blob });
        }
        // Between two pieces, not for the whole: a large artifact may take long, a silent server may not.
        let pieces = self.server.clone().pieces(response, timeout);
        let (server, begun, mut len) = (self.server.clone(), Instant::now(), 0u64);
        let checked = pieces.map(move |piece| {
            let piece: Bytes = piece?;
            len = len.saturating_add(piece.len() as u64);
            if len > max_blob {
                return Err(StoreError::TooLarge { len, limit: max_blob });
            }
            if begun.elapsed() > timeout.saturating_add(Duration::from_secs(len / LEAST_RATE)) {
                let seconds = begun.elapsed().as_secs();
                return Err(server.failed(format!("it sent {len} bytes in {seconds} s, which is too slow")));
            }
            Ok(piece)
        });
        Ok(Some(checked.boxed()))
    }

    async fn put(&self, root: &Root, bytes: Bytes, limits: &Limits) -> Result<(), StoreError> {
        let patience = limits.timeout.saturating_add(Duration::from_secs(bytes.len() as u64 / LEAST_RATE));
        let response = self.server.within(patience, self.client.put(self.at(root)).body(bytes).send()).await?;
        if response.status().is_success() { Ok(()) } else { Err(self.server.refused(response, limits.timeout).await) }
    }

    async fn has(&self, root: &Root, limits: &Limits) -> Result<bool, StoreError> {
        let response = self.server.within(limits.timeout, self.client.head(self.at(root)).send()).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            _ => Err(self.server.refused(response, limits.timeout).await),
        }
    }

    fn is_local(&self) -> bool {
        false
    }

    fn url(&self) -> &str {
        &self.server.url
    }
}
