//! A blob that arrives: written to a file of its own while it is hashed, and named only once it is what it should be.

use std::path::PathBuf;
use std::sync::Arc;

use provena_arith::merkle::ContentHasher;
use provena_client::store::Root;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::index::Holder;
use super::own::{NOBODY, Own};
use super::{BlobError, Class, Reservation};

/// Bytes of a file that are held in memory on their way to the disk.
const BUFFER: usize = 64 << 10;

/// Room is reserved in such steps where nobody says how much comes.
const STEP: u64 = 16 << 20;

/// A blob that is being written. Dropping it removes it.
pub(crate) struct Draft {
    own: Arc<Own>,
    class: Class,
    file: Option<File>,
    path: PathBuf,
    hasher: ContentHasher,
    len: u64,
    max: u64,
    reservation: Reservation,
    holder: Holder,
}

impl Draft {
    /// A draft for a blob of about `expected` and at most `max` bytes.
    pub(super) async fn begin(own: &Arc<Own>, class: Class, expected: u64, max: u64) -> Result<Self, BlobError> {
        if expected > max {
            return Err(BlobError::TooLarge { limit: max });
        }
        let reservation = own.reserve(class, expected)?;
        let path = own.draft_path();
        let mut file = File::create_new(&path).await.inspect_err(|error| own.failed(error))?;
        file.set_max_buf_size(BUFFER);
        Ok(Self {
            own: Arc::clone(own),
            class,
            file: Some(file),
            path,
            hasher: ContentHasher::new(),
            len: 0,
            max,
            reservation,
            holder: NOBODY,
        })
    }

    /// Tries whether the disk takes anything, and records it.
    pub(super) async fn probe(own: &Arc<Own>) -> Result<(), BlobError> {
        let mut draft = Self::begin(own, Class::Sealed, 1, 1).await?;
        draft.write(&[0]).await?;
        if let Some(file) = &mut draft.file {
            let written = async {
                file.flush().await?;
                file.sync_all().await
            };
            written.await.inspect_err(|error| own.failed(error))?;
        }
        own.wrote();
        Ok(())
    }

    /// Keeps the blob for a wallet.
    pub(crate) fn held_for(mut self, wallet: Holder) -> Self {
        self.holder = wallet;
        self
    }

    /// Bytes that have arrived.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Takes the next piece.
    pub(crate) async fn write(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        let len = self.len.saturating_add(piece.len() as u64);
        if len > self.max {
            return Err(BlobError::TooLarge { limit: self.max });
        }
        if len > self.reservation.bytes() {
            self.reservation.grow(STEP.max(len - self.reservation.bytes()))?;
        }
        self.hasher.update(piece);
        self.len = len;
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(piece).await.inspect_err(|error| self.own.failed(error))?;
        Ok(())
    }

    /// Begins again, for another sender.
    pub(super) async fn restart(&mut self) -> Result<(), BlobError> {
        self.hasher = ContentHasher::new();
        self.len = 0;
        if let Some(file) = &mut self.file {
            file.set_len(0).await?;
            file.rewind().await?;
        }
        Ok(())
    }

    /// Whether what has arrived is what `root` names.
    pub(super) fn check(&mut self, root: &Root) -> Result<(), BlobError> {
        match std::mem::take(&mut self.hasher).finish() {
            Ok(found) if found == *root => Ok(()),
            found => Err(BlobError::Mismatch { expected: *root, found: found.unwrap_or_default(), len: self.len }),
        }
    }

    /// Keeps what has arrived under the name `root`, if that is what it is.
    ///
    /// # Errors
    /// [`BlobError::Mismatch`] and [`BlobError::Io`]; then nothing is left of it.
    pub(crate) async fn keep(mut self, root: &Root) -> Result<PathBuf, BlobError> {
        self.check(root)?;
        self.keep_checked(root).await
    }

    /// As [`Draft::keep`], after [`Draft::check`].
    pub(super) async fn keep_checked(mut self, root: &Root) -> Result<PathBuf, BlobError> {
        let Some(mut file) = self.file.take() else { return Ok(self.path.clone()) };
        let (own, path, len) = (Arc::clone(&self.own), self.path.clone(), self.len);
        let (class, root, holder) = (self.class, *root, self.holder);
        let written = async move {
            file.flush().await?;
            // An answer can be computed again; what others sent may not come twice.
            if !matches!(class, Class::Answer | Class::Sealed) {
                file.sync_all().await?;
            }
            drop(file);
            let kept = Arc::clone(&own);
            tokio::task::spawn_blocking(move || kept.keep(&path, class, &root, len, holder)).await??;
            Ok::<_, std::io::Error>(own.path(class, &root))
        };
        let named = written.await.inspect_err(|error| self.own.failed(error))?;
        self.own.wrote();
        Ok(named)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Where it has its name there is nothing here any more.
        drop(std::fs::remove_file(&self.path));
    }
}
