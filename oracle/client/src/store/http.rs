//! Blobs behind HTTP: another node's `/v1`, or an object storage that speaks GET and PUT.

use async_trait::async_trait;
use futures_util::StreamExt;
use reqwest::{Client, Response, StatusCode};

use super::{Bytes, Limits, Place, Root, StoreError, key};

/// A URL prefix under which blobs are at `blobs/<hex root>`.
#[derive(Debug)]
pub(super) struct Http {
    url: String,
    client: Client,
}

impl Http {
    pub(super) fn open(url: &str, limits: &Limits) -> Result<Self, StoreError> {
        let client = Client::builder()
            .connect_timeout(limits.timeout)
            // Between two pieces, not for the whole: a large artifact may take long, a silent server may not.
            .read_timeout(limits.timeout)
            .build()
            .map_err(|error| StoreError::BadUrl { url: url.to_owned(), reason: error.to_string() })?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), client })
    }

    fn at(&self, root: &Root) -> String {
        format!("{}/{}", self.url, key(root))
    }

    fn failed(&self, error: &reqwest::Error) -> StoreError {
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            reason = format!("{reason}: {inner}");
            cause = inner.source();
        }
        StoreError::Failed { url: self.url.clone(), reason }
    }

    async fn refused(&self, response: Response) -> StoreError {
        let status = response.status();
        let words: String = response.text().await.unwrap_or_default().chars().take(200).collect();
        StoreError::Failed { url: self.url.clone(), reason: format!("HTTP {status} {}", words.trim()) }
    }
}

#[async_trait]
impl Place for Http {
    async fn get(&self, root: &Root, limits: &Limits) -> Result<Option<Bytes>, StoreError> {
        let response = self.client.get(self.at(root)).send().await.map_err(|error| self.failed(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let too_large = |len: u64| StoreError::TooLarge { len, limit: limits.max_blob };
        let announced = response.content_length().unwrap_or(0);
        if announced > limits.max_blob {
            return Err(too_large(announced));
        }
        // What is announced is not trusted for the allocation; it grows with what arrives.
        let mut body = Vec::with_capacity(usize::try_from(announced.min(1 << 20)).unwrap_or(0));
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| self.failed(&error))?;
            let len = (body.len() as u64).saturating_add(piece.len() as u64);
            if len > limits.max_blob {
                return Err(too_large(len));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Some(body.into()))
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
