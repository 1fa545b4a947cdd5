//! Blobs behind HTTP: another node's `/v1`, or an object storage that speaks GET and PUT.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use reqwest::{Client, ClientBuilder, Response, StatusCode};

use super::{Bytes, Limits, Pieces, Place, Root, StoreError, key};
use crate::reach::Reach;

/// Bytes per second that a store must send at least: one that drips holds whoever waits for it without ever being silent.
const LEAST_RATE: u64 = 8 << 10;

/// Bytes of a refusal that are read.
const MOST_WORDS: usize = 1 << 10;

/// A URL prefix under which blobs are at `blobs/<hex root>`.
#[derive(Debug)]
pub(super) struct Http {
    url: String,
    client: Client,
    /// Whether it is a stranger's, who may have named somebody else's server: its words are repeated to nobody.
    strange: bool,
}

impl Http {
    pub(super) fn open(url: &str, limits: &Limits) -> Result<Self, StoreError> {
        Self::build(url, Client::builder(), limits, false)
    }

    /// A stranger's: see [`super::Store::open_strangers`].
    pub(super) fn open_strangers(url: &str, reach: Reach, limits: &Limits) -> Result<Self, StoreError> {
        let builder = reach.client(url).map_err(|reason| StoreError::BadUrl { url: url.to_owned(), reason })?;
        Self::build(url, builder, limits, true)
    }

    fn build(url: &str, builder: ClientBuilder, limits: &Limits, strange: bool) -> Result<Self, StoreError> {
        let client = builder
            .connect_timeout(limits.timeout)
            // Between two pieces, not for the whole: a large artifact may take long, a silent server may not.
            .read_timeout(limits.timeout)
            .build()
            .map_err(|error| StoreError::BadUrl { url: url.to_owned(), reason: error.to_string() })?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), client, strange })
    }

    fn at(&self, root: &Root) -> String {
        format!("{}/{}", self.url, key(root))
    }

    fn failed(&self, error: &reqwest::Error) -> StoreError {
        failed(&self.url, error)
    }

    async fn refused(&self, mut response: Response) -> StoreError {
        let status = response.status();
        if self.strange {
            return StoreError::Failed { url: self.url.clone(), reason: format!("HTTP {status}") };
        }
        let mut words = Vec::new();
        while words.len() < MOST_WORDS
            && let Ok(Some(piece)) = response.chunk().await
        {
            words.extend_from_slice(&piece);
        }
        let words: String = String::from_utf8_lossy(&words).chars().take(200).collect();
        StoreError::Failed { url: self.url.clone(), reason: format!("HTTP {status} {}", words.trim()) }
    }
}

fn failed(url: &str, error: &reqwest::Error) -> StoreError {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    StoreError::Failed { url: url.to_owned(), reason }
}

#[async_trait]
impl Place for Http {
    async fn read(&self, root: &Root, limits: &Limits) -> Result<Option<Pieces>, StoreError> {
        let response = self.client.get(self.at(root)).send().await.map_err(|error| self.failed(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let Limits { max_blob, timeout } = *limits;
        let announced = response.content_length().unwrap_or(0);
        if announced > max_blob {
            return Err(StoreError::TooLarge { len: announced, limit: max_blob });
        }
        let (url, begun, mut len) = (self.url.clone(), Instant::now(), 0u64);
        let failed_at = url.clone();
        let pieces = response.bytes_stream().map_err(move |error| failed(&failed_at, &error));
        let checked = pieces.map(move |piece| {
            let piece: Bytes = piece?;
            len = len.saturating_add(piece.len() as u64);
            if len > max_blob {
                return Err(StoreError::TooLarge { len, limit: max_blob });
            }
            if begun.elapsed() > timeout.saturating_add(Duration::from_secs(len / LEAST_RATE)) {
                let reason = format!("it sent {len} bytes in {} s, which is too slow", begun.elapsed().as_secs());
                return Err(StoreError::Failed { url: url.clone(), reason });
            }
            Ok(piece)
        });
        Ok(Some(checked.boxed()))
    }

    async fn put(&self, root: &Root, bytes: Bytes, _limits: &Limits) -> Result<(), StoreError> {
        let response = self.client.put(self.at(root)).body(bytes).send().await.map_err(|error| self.failed(&error))?;
        if response.status().is_success() { Ok(()) } else { Err(self.refused(response).await) }
    }

    async fn has(&self, root: &Root, _limits: &Limits) -> Result<bool, StoreError> {
        let response = self.client.head(self.at(root)).send().await.map_err(|error| self.failed(&error))?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            _ => Err(self.refused(response).await),
        }
    }

    fn is_local(&self) -> bool {
        false
    }

    fn url(&self) -> &str {
        &self.url
    }
}
