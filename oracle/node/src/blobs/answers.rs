//! Answers: in memory first, so that no disk decides over a bond, and on the disk as soon as it takes them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provena_arith::merkle::content_root;
use provena_client::store::{Bytes, Root, StoreError};

use super::{BlobError, Blobs, Class, Draft, NoRoom, error};

/// Bytes of answers that wait in memory for the disk.
const MOST_IN_MEMORY: u64 = 64 << 20;

/// Longest wait for the disk while somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers that the disk has not taken yet.
#[derive(Default)]
pub(super) struct Memory {
    waiting: Mutex<HashMap<(Class, Root), Bytes>>,
}

impl Memory {
    fn waiting(&self) -> MutexGuard<'_, HashMap<(Class, Root), Bytes>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> u64 {
        self.waiting().values().map(|bytes| bytes.len() as u64).sum()
    }

    pub(super) fn get(&self, root: &Root, classes: &[Class]) -> Option<Bytes> {
        let waiting = self.waiting();
        classes.iter().find_map(|class| waiting.get(&(*class, *root)).cloned())
    }

    /// Keeps an answer; says whether there is room.
    fn insert(&self, class: Class, root: &Root, bytes: &Bytes) -> bool {
        let mut waiting = self.waiting();
        let used: u64 = waiting.values().map(|bytes| bytes.len() as u64).sum();
        let fits = used.saturating_add(bytes.len() as u64) <= MOST_IN_MEMORY;
        if fits {
            waiting.insert((class, *root), bytes.clone());
        }
        fits
    }

    fn remove(&self, class: Class, root: &Root) -> Option<Bytes> {
        self.waiting().remove(&(class, *root))
    }
}

/// What was computed and is not published: no route hands it out. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Private(Blobs);

impl Private {
    pub(super) fn new(blobs: Blobs) -> Self {
        Self(blobs)
    }

    /// Keeps an answer, in memory where the disk does not take it.
    ///
    /// # Errors
    /// [`StoreError::Empty`], and [`StoreError::Failed`] when neither disk nor memory has room.
    pub async fn put(&self, bytes: impl Into<Bytes>) -> Result<Root, StoreError> {
        let bytes = bytes.into();
        let root = content_root(&bytes).map_err(|_| StoreError::Empty)?;
        self.0.answer(Class::Sealed, &root, &bytes).await?;
        Ok(root)
    }

    /// An answer that was kept, published or not.
    ///
    /// # Errors
    /// [`StoreError::Everywhere`].
    pub async fn get(&self, root: &Root) -> Result<Bytes, StoreError> {
        const CLASSES: [Class; 2] = [Class::Sealed, Class::Answer];
        if let Some(bytes) = self.0.memory.get(root, &CLASSES) {
            return Ok(bytes);
        }
        let failure = match self.0.own.read_from(root, &CLASSES, u64::MAX).await {
            Ok(Some(bytes)) => return Ok(bytes),
            Ok(None) => StoreError::NotFound { url: error::OWN.to_owned() },
            Err(error) => error.into(),
        };
        Err(StoreError::Everywhere { action: "be read", root: *root, failures: vec![failure] })
    }
}

impl Blobs {
    /// Publishes an answer; one that was sealed is moved.
    pub(super) async fn publish(&self, root: &Root, bytes: &Bytes) -> Result<(), StoreError> {
        if self.own.index().has(root, &[Class::Answer]) || self.own.relabel(root, Class::Sealed, Class::Answer) {
            return Ok(());
        }
        self.memory.remove(Class::Sealed, root);
        self.answer(Class::Answer, root, bytes).await
    }

    /// Keeps an answer: it is there at once, and on the disk if that takes it soon.
    async fn answer(&self, class: Class, root: &Root, bytes: &Bytes) -> Result<(), StoreError> {
        let kept = self.memory.insert(class, root, bytes);
        let written = tokio::time::timeout(PATIENCE, self.write(class, root, bytes)).await;
        let failure = match written {
            Ok(Ok(())) => {
                self.memory.remove(class, root);
                return Ok(());
            }
            Ok(Err(error)) => StoreError::from(error),
            Err(_) => NoRoom::Failing("the disk does not answer".to_owned()).into_store_error(),
        };
        if kept {
            tracing::warn!(root = hex::encode(root), error = %failure, "an answer stays in memory for now");
            return Ok(());
        }
        Err(failure)
    }

    async fn write(&self, class: Class, root: &Root, bytes: &Bytes) -> Result<(), BlobError> {
        let len = bytes.len() as u64;
        let mut draft = Draft::begin(&self.own, class, len, len).await?;
        draft.write(bytes).await?;
        draft.keep(root).await.map(drop)
    }

    /// Writes what waits in memory; where nothing waits, a store that failed is tried with a byte.
    pub(super) async fn write_waiting(&self) {
        let waiting: Vec<_> = self.memory.waiting().iter().map(|(key, bytes)| (*key, bytes.clone())).collect();
        if waiting.is_empty() && self.own.failure().is_some() {
            // It fails or succeeds for the record.
            drop(Draft::probe(&self.own).await);
        }
        for ((class, root), bytes) in waiting {
            match self.write(class, &root, &bytes).await {
                Ok(()) => drop(self.memory.remove(class, &root)),
                Err(error) => {
                    tracing::debug!(%error, "answers still wait for the disk");
                    return;
                }
            }
        }
    }
}

impl NoRoom {
    fn into_store_error(self) -> StoreError {
        BlobError::from(self).into()
    }
}

/// Whether `bytes` are what `root` names.
pub(super) fn verify(root: &Root, bytes: &Bytes) -> Result<(), StoreError> {
    match content_root(bytes) {
        Ok(found) if found == *root => Ok(()),
        found => {
            Err(BlobError::Mismatch { expected: *root, found: found.unwrap_or_default(), len: bytes.len() as u64 }
                .into())
        }
    }
}
