//! The node's own store: what it needs and hands out, each class with a quota of its own.
//!
//! What is counted is what lies on the disk, so a restart changes nothing. Room is reserved before a blob is written or a
//! bond depends on it ([`Blobs::reserve`]); where a quota is used the least recently used go, but never what is pinned
//! ([`Blobs::pin`]), and strangers' uploads push out nothing but each other. A disk that is full or broken takes nothing
//! new; what is there is still read, and answers stay in memory until it takes them.

mod answers;
mod checked;
mod class;
mod crowd;
mod draft;
mod error;
mod fetch;
mod index;
mod own;
mod pace;
mod peers;
mod room;
mod state;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use provena_client::store::{Bytes, Limits, Root, Store, StoreError};
use tokio_util::sync::CancellationToken;

pub use answers::Private;
pub use class::{Class, Quotas};
pub use error::{BlobError, NoRoom};
pub use fetch::{ArtifactFile, TurnError};
pub use peers::Peers;
pub use room::Reservation;
pub use state::{ClassState, Failure, StoreState};

pub(crate) use checked::{Checked, Found};
pub(crate) use draft::Draft;

use answers::Memory;
use own::Own;

/// How often answers are written again that could not be written before, and a store that failed is tried.
const TEND_EVERY: Duration = Duration::from_secs(5);

/// The node's own store and those that its operator named. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    own: Arc<Own>,
    memory: Arc<Memory>,
    /// The operator's other stores.
    others: Option<Store>,
    peers: Option<Arc<Peers>>,
    fetching: Arc<fetch::Fetching>,
}

/// Keeps a blob from being evicted while it is held, whether the blob is there yet or not.
pub struct Pin {
    own: Arc<Own>,
    root: Root,
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.own.index().unpin(&self.root);
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pin({})", hex::encode(self.root))
    }
}

impl Blobs {
    /// Opens the store in `folder`, which is made where it is missing, and what is at `urls`. Whatever a crash left half
    /// written is removed.
    ///
    /// # Errors
    /// [`StoreError::Folder`] and [`StoreError::BadUrl`], each saying what to do.
    pub fn open(folder: &Path, quotas: Quotas, urls: &[String], limits: Limits) -> Result<Self, StoreError> {
        let unusable = |error: std::io::Error| StoreError::Folder {
            path: folder.display().to_string(),
            reason: error.to_string(),
        };
        let own = Arc::new(Own::open(folder, quotas).map_err(unusable)?);
        let others = if urls.is_empty() { None } else { Some(Store::open_with(urls, limits)?) };
        Ok(Self { own, memory: Arc::default(), others, peers: None, fetching: Arc::default() })
    }

    /// Also asks other nodes for artifacts.
    #[must_use]
    pub fn with_peers(mut self, peers: Peers) -> Self {
        self.peers = Some(Arc::new(peers));
        self
    }

    /// Takes over the blobs of a folder in which an earlier version kept them.
    ///
    /// # Errors
    /// The file system's.
    pub fn adopt(&self, folder: &Path, class_of: impl Fn(u64) -> Class) -> std::io::Result<()> {
        self.own.adopt(folder, class_of)
    }

    /// Keeps `root` from being evicted until the guard is dropped.
    #[must_use]
    pub fn pin(&self, root: &Root) -> Pin {
        self.own.index().pin(root);
        Pin { own: Arc::clone(&self.own), root: *root }
    }

    /// Reserves room for an answer of `bytes` to `payer`, before a bond depends on it. What is pinned is not evicted for it:
    /// an answer that is not paid yet pushes out none that is not paid either, whoever's it is.
    ///
    /// # Errors
    /// [`NoRoom`], also after a failure to write until one has succeeded again.
    pub fn reserve(&self, payer: &[u8; 32], bytes: u64) -> Result<Reservation, NoRoom> {
        if let Some(failure) = self.own.failure() {
            return Err(NoRoom::Failing(failure.reason));
        }
        self.own.reserve_for(*payer, bytes)
    }

    /// How full the store is, and whether it works.
    #[must_use]
    pub fn state(&self) -> StoreState {
        state::of(&self.own, self.memory.bytes())
    }

    /// What was computed and is not published.
    #[must_use]
    pub fn private(&self) -> Private {
        Private::new(self.clone())
    }

    /// The request named `root`, of at most `max_len` bytes, verified. What an upload brought is an input from now on, and
    /// what a remote store sent is kept: whoever needs it later has it.
    ///
    /// # Errors
    /// [`StoreError::Everywhere`] with each place's reason.
    pub async fn get_within(&self, root: &Root, max_len: u64) -> Result<Bytes, StoreError> {
        let failures = match self.own.read(root, max_len).await {
            Ok(Some(bytes)) => return Ok(bytes),
            Ok(None) => vec![StoreError::NotFound { url: error::OWN.to_owned() }],
            Err(error) => vec![error.into()],
        };
        self.ask_others(root, max_len, failures).await
    }

    /// Publishes `bytes`, which must be what `root` names: here, and in the operator's other stores. An answer that the
    /// disk does not take is served from memory.
    ///
    /// # Errors
    /// [`StoreError::Mismatch`], and [`StoreError::Failed`] when neither disk nor memory has room.
    pub async fn put_as(&self, root: &Root, bytes: impl Into<Bytes>) -> Result<(), StoreError> {
        let bytes = bytes.into();
        answers::verify(root, &bytes)?;
        self.publish(root, &bytes).await?;
        if let Some(others) = &self.others
            && let Err(error) = others.put_as(root, bytes).await
        {
            tracing::warn!(root = hex::encode(root), %error, "an answer is published by this node alone");
        }
        Ok(())
    }

    /// Whether the blob is handed out, or waits here for its job.
    pub(crate) fn has(&self, root: &Root, uploads: bool) -> bool {
        let index = self.own.index();
        index.has(root, &Class::SERVED) || uploads && index.has(root, &[Class::Upload])
    }

    /// Turns an upload into the input of a job; says whether there was one.
    pub(crate) fn promote(&self, root: &Root) -> bool {
        self.own.promote(root)
    }

    /// A place for a blob that is about to arrive.
    pub(crate) async fn draft(&self, class: Class, expected: u64, max: u64) -> Result<Draft, BlobError> {
        Draft::begin(&self.own, class, expected, max).await
    }

    /// What is handed out under the name `root`: from this store, or from the operator's folders.
    pub(crate) async fn served(&self, root: &Root) -> std::io::Result<Option<Found>> {
        if let Some(bytes) = self.memory.get(root, &[Class::Answer]) {
            return Ok(Some(Found::Memory(bytes)));
        }
        if let Some(found) = self.own.open_checked(root, &Class::SERVED).await? {
            return Ok(Some(Found::File(found)));
        }
        match self.others.as_ref().and_then(|others| others.file(root)) {
            Some(path) => Ok(self.own.open_foreign(root, path).await?.map(Found::File)),
            None => Ok(None),
        }
    }

    /// Looks after the store until `closing`: writes what could not be written, and tries a store that failed.
    pub async fn tend(&self, closing: CancellationToken) {
        while !closing.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(TEND_EVERY) => {}
                () = closing.cancelled() => {}
            }
            self.flush().await;
        }
    }

    /// Writes the answers that could not be written before; where there are none, a store that failed is tried.
    pub async fn flush(&self) {
        self.write_waiting().await;
    }
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blobs").field("folder", &self.own.folder).field("others", &self.others).finish_non_exhaustive()
    }
}
