//! Content-addressed storage for artifacts, inputs and responses.
//!
//! A blob's name is its content root, so whoever stores it need not be trusted: every read hashes again. Several
//! stores are asked in order; one that lies, fails or lacks the blob only costs time.

mod error;
mod folder;
mod http;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream::BoxStream};
use provena_arith::merkle::{ContentHasher, content_root};

pub use bytes::Bytes;
pub use error::StoreError;

use crate::reach::Reach;

/// A content root; see `provena_arith::merkle`.
pub type Root = [u8; 32];

/// A blob as it arrives. Nothing of it is verified: whoever reads it hashes it.
pub type Pieces = BoxStream<'static, Result<Bytes, StoreError>>;

/// What a store accepts and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest blob in bytes, read or written.
    pub max_blob: u64,
    /// Longest wait for a remote store to send or take the next piece.
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_blob: 16 << 30, timeout: Duration::from_secs(30) }
    }
}

/// One place that holds blobs. Implementations need not verify: [`Store`] does.
#[async_trait]
trait Place: Send + Sync + std::fmt::Debug {
    /// The blob piece by piece, `None` when the place lacks it. It ends with an error once it is longer than allowed.
    async fn read(&self, root: &Root, limits: &Limits) -> Result<Option<Pieces>, StoreError>;
    /// The blob, `None` when the place lacks it.
    async fn get(&self, root: &Root, limits: &Limits) -> Result<Option<Bytes>, StoreError> {
        let Some(mut pieces) = self.read(root, limits).await? else { return Ok(None) };
        let mut blob = Vec::new();
        while let Some(piece) = pieces.next().await {
            blob.extend_from_slice(&piece?);
        }
        Ok(Some(blob.into()))
    }
    /// Stores the blob, all or nothing.
    async fn put(&self, root: &Root, bytes: Bytes, limits: &Limits) -> Result<(), StoreError>;
    /// Whether the blob is there, by name only.
    async fn has(&self, root: &Root, limits: &Limits) -> Result<bool, StoreError>;
    /// Whether it lies on this machine.
    fn is_local(&self) -> bool;
    /// The file that holds the blob, where it is one on this machine.
    fn file(&self, _root: &Root) -> Option<PathBuf> {
        None
    }
    /// Where it is, for messages.
    fn url(&self) -> &str;
}

/// One or more places, asked in order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    places: Arc<[Arc<dyn Place>]>,
    limits: Limits,
}

impl Store {
    /// Opens the stores at `urls`: `file:///absolute/folder` (created when missing) or `http(s)://host/prefix`, under
    /// which blobs are at `blobs/<hex root>`.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`] and [`StoreError::Folder`], each naming the URL.
    pub fn open<S: AsRef<str>>(urls: &[S]) -> Result<Self, StoreError> {
        Self::open_with(urls, Limits::default())
    }

    /// As [`Store::open`], with limits of the caller's choice.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn open_with<S: AsRef<str>>(urls: &[S], limits: Limits) -> Result<Self, StoreError> {
        if urls.is_empty() {
            return Err(StoreError::BadUrl {
                url: String::new(),
                reason: "no store is named; name at least one, e.g. file:///var/lib/provena".to_owned(),
            });
        }
        let places: Result<Vec<_>, _> = urls.iter().map(|url| open_place(url.as_ref(), &limits)).collect();
        Ok(Self { places: places?.into(), limits })
    }

    /// Opens a stranger's store at an `http(s)` URL, as far as `reach` lets it lead; no redirection is followed, so that a
    /// stranger cannot make this machine call its own network.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`].
    pub fn open_strangers(url: &str, reach: Reach, limits: Limits) -> Result<Self, StoreError> {
        let place: Arc<dyn Place> = Arc::new(http::Http::open_strangers(url, reach)?);
        Ok(Self { places: [place].into(), limits })
    }

    /// Each place as a store of its own, in order.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        self.places.iter().map(|place| Self { places: [Arc::clone(place)].into(), limits: self.limits })
    }

    /// Whether every place is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.places.iter().all(|place| place.is_local())
    }

    /// The stores' URLs in order.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| place.url())
    }

    /// Stores `bytes` in every place and returns its root; at least one place must take it.
    ///
    /// # Errors
    /// [`StoreError::Empty`], [`StoreError::TooLarge`], or [`StoreError::Everywhere`] with each place's reason.
    pub async fn put(&self, bytes: impl Into<Bytes>) -> Result<Root, StoreError> {
        let bytes = bytes.into();
        self.check_len(bytes.len() as u64)?;
        let root = content_root(&bytes).map_err(|_| StoreError::Empty)?;
        let mut failures = Vec::new();
        for place in self.places.iter() {
            if let Err(error) = place.put(&root, bytes.clone(), &self.limits).await {
                tracing::warn!(store = place.url(), root = hex::encode(root), ?error, "a store did not take a blob");
                failures.push(error);
            }
        }
        if failures.len() == self.places.len() {
            return Err(StoreError::Everywhere { action: "be stored", root, failures });
        }
        Ok(root)
    }

    /// Stores `bytes`, which must be what `root` names.
    ///
    /// # Errors
    /// [`StoreError::Mismatch`] before anything is written, or as for [`Store::put`].
    pub async fn put_as(&self, root: &Root, bytes: impl Into<Bytes>) -> Result<(), StoreError> {
        let bytes = bytes.into();
        verify(root, &bytes, "the sender")?;
        self.put(bytes).await.map(drop)
    }

    /// As [`Store::put_as`], into the first local place that takes it, and no other: what was fetched is not sent on.
    ///
    /// # Errors
    /// As for [`Store::put_as`].
    pub async fn put_as_local(&self, root: &Root, bytes: impl Into<Bytes>) -> Result<(), StoreError> {
        let bytes = bytes.into();
        verify(root, &bytes, "the sender")?;
        let mut failures = Vec::new();
        for place in self.places.iter().filter(|place| place.is_local()) {
            match place.put(root, bytes.clone(), &self.limits).await {
                Ok(()) => return Ok(()),
                Err(error) => failures.push(error),
            }
        }
        Err(StoreError::Everywhere { action: "be stored", root: *root, failures })
    }

    /// The blob named `root`, verified. A remote blob is kept in the first local place.
    ///
    /// # Errors
    /// [`StoreError::Everywhere`] with each place's reason.
    pub async fn get(&self, root: &Root) -> Result<Bytes, StoreError> {
        self.get_within(root, self.limits.max_blob).await
    }

    /// As [`Store::get`], for a blob that may have at most `max_len` bytes.
    ///
    /// # Errors
    /// As for [`Store::get`].
    pub async fn get_within(&self, root: &Root, max_len: u64) -> Result<Bytes, StoreError> {
        let limits = Limits { max_blob: max_len.min(self.limits.max_blob), ..self.limits };
        let mut failures = Vec::new();
        for place in self.places.iter() {
            match get_from(place.as_ref(), root, &limits).await {
                Ok(bytes) => {
                    self.keep(place.as_ref(), root, &bytes).await;
                    return Ok(bytes);
                }
                Err(error) => failures.push(error),
            }
        }
        Err(StoreError::Everywhere { action: "be read", root: *root, failures })
    }

    /// The blob named `root` if a local place holds it whole; remote places are not asked.
    ///
    /// # Errors
    /// As for [`Store::get`].
    pub async fn get_local(&self, root: &Root) -> Result<Bytes, StoreError> {
        let mut failures = Vec::new();
        for place in self.places.iter().filter(|place| place.is_local()) {
            match get_from(place.as_ref(), root, &self.limits).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => failures.push(error),
            }
        }
        Err(StoreError::Everywhere { action: "be read", root: *root, failures })
    }

    /// The blob named `root` piece by piece, of at most `max_len` bytes, from the first place that begins to send it. What
    /// arrives is not verified.
    ///
    /// # Errors
    /// As for [`Store::get`]; later ones come with the pieces.
    pub async fn stream(&self, root: &Root, max_len: u64) -> Result<Pieces, StoreError> {
        let limits = Limits { max_blob: max_len.min(self.limits.max_blob), ..self.limits };
        let mut failures = Vec::new();
        for place in self.places.iter() {
            match place.read(root, &limits).await {
                Ok(Some(pieces)) => return Ok(pieces),
                Ok(None) => failures.push(StoreError::NotFound { url: place.url().to_owned() }),
                Err(error) => failures.push(error),
            }
        }
        Err(StoreError::Everywhere { action: "be read", root: *root, failures })
    }

    /// The file on this machine that a place keeps under the name `root`. Its content is not verified.
    #[must_use]
    pub fn file(&self, root: &Root) -> Option<PathBuf> {
        self.places.iter().find_map(|place| place.file(root))
    }

    /// Whether some place has a blob of that name. Its content is not read.
    pub async fn has(&self, root: &Root) -> bool {
        for place in self.places.iter() {
            if place.has(root, &self.limits).await.unwrap_or(false) {
                return true;
            }
        }
        false
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    async fn keep(&self, from: &dyn Place, root: &Root, bytes: &Bytes) {
        if from.is_local() {
            return;
        }
        if let Some(local) = self.places.iter().find(|place| place.is_local())
            && let Err(error) = local.put(root, bytes.clone(), &self.limits).await
        {
            tracing::warn!(store = local.url(), ?error, "a fetched blob could not be kept");
        }
    }

    fn check_len(&self, len: u64) -> Result<(), StoreError> {
        if len > self.limits.max_blob {
            return Err(StoreError::TooLarge { len, limit: self.limits.max_blob });
        }
        Ok(())
    }
}

async fn get_from(place: &dyn Place, root: &Root, limits: &Limits) -> Result<Bytes, StoreError> {
    let bytes = place.get(root, limits).await?.ok_or_else(|| StoreError::NotFound { url: place.url().to_owned() })?;
    verify(root, &bytes, place.url())?;
    Ok(bytes)
}

fn verify(root: &Root, bytes: &Bytes, url: &str) -> Result<(), StoreError> {
    let mut hasher = ContentHasher::new();
    hasher.update(bytes);
    match hasher.finish() {
        Ok(found) if found == *root => Ok(()),
        found => Err(StoreError::Mismatch {
            url: url.to_owned(),
            expected: *root,
            found: found.unwrap_or_default(),
            len: bytes.len() as u64,
        }),
    }
}

fn open_place(url: &str, limits: &Limits) -> Result<Arc<dyn Place>, StoreError> {
    let bad = |reason: String| StoreError::BadUrl { url: url.to_owned(), reason };
    let parsed = reqwest::Url::parse(url)
        .map_err(|_| bad("it is no URL; write file:///absolute/folder or http(s)://host/prefix".to_owned()))?;
    match parsed.scheme() {
        "file" => {
            let path = parsed.to_file_path().map_err(|()| bad("a file:// URL names an absolute folder".to_owned()))?;
            Ok(Arc::new(folder::Folder::open(url, &path)?))
        }
        "http" | "https" if parsed.has_host() => Ok(Arc::new(http::Http::open(url, limits)?)),
        other => Err(bad(format!("{other}:// is not a store; use file:// or http(s)://"))),
    }
}

/// The key of a blob inside any place.
fn key(root: &Root) -> String {
    format!("blobs/{}", hex::encode(root))
}
