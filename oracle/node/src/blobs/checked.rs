//! Files whose content is what their names say: each is read once to find out, and again only when it has changed.

use std::fs::{File, FileTimes, Metadata};
use std::io::{ErrorKind, Read as _, Seek as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use provena_arith::merkle::ContentHasher;
use provena_client::store::{Bytes, Root};
use provena_wire::MAX_REQUEST_LEN;

use super::Class;
use super::own::Own;

/// Files whose content is known to be what their name says.
const MOST_CHECKED: usize = 16_384;

/// Bytes that are read at a time to check a file.
const PIECE: usize = 256 << 10;

/// A blob to hand out.
pub(crate) enum Found {
    /// On the disk.
    File(Checked),
    /// Not written yet.
    Memory(Bytes),
}

/// An open file whose content is what its name says.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The file, at its beginning.
    pub file: File,
    /// Its length.
    pub len: u64,
    /// Where it is.
    pub path: PathBuf,
}

/// What a file was when it was checked.
pub(super) type Seen = (u64, Option<SystemTime>);

impl Own {
    /// The first of `classes` that has the blob, opened and checked.
    pub(super) async fn open_checked(
        self: &Arc<Self>,
        root: &Root,
        classes: &[Class],
    ) -> std::io::Result<Option<Checked>> {
        let Some((class, _)) = self.index().find(root, classes) else { return Ok(None) };
        self.check(Some(class), root, self.path(class, root)).await
    }

    /// A file of the operator's, opened and checked.
    pub(super) async fn open_foreign(self: &Arc<Self>, root: &Root, path: PathBuf) -> std::io::Result<Option<Checked>> {
        self.check(None, root, path).await
    }

    async fn check(
        self: &Arc<Self>,
        class: Option<Class>,
        root: &Root,
        path: PathBuf,
    ) -> std::io::Result<Option<Checked>> {
        let (own, root) = (Arc::clone(self), *root);
        let opened = tokio::task::spawn_blocking(move || own.open_seen(class, &root, path)).await??;
        let (known, found) = match opened {
            Some(opened) => opened,
            None => return Ok(None),
        };
        if known {
            return Ok(Some(found));
        }
        // Small ones do not wait for large ones.
        let large = found.len > MAX_REQUEST_LEN as u64;
        let _one_at_a_time = if large { Some(self.checking.lock().await) } else { None };
        let own = Arc::clone(self);
        tokio::task::spawn_blocking(move || own.hash(class, &root, found)).await?
    }

    /// Opens a file and says whether it is known to be sound.
    fn open_seen(&self, class: Option<Class>, root: &Root, path: PathBuf) -> std::io::Result<Option<(bool, Checked)>> {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if let Some(class) = class {
                    self.index().remove(class, root);
                }
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let seen = file.metadata()?;
        if class.is_some() {
            // The order of use survives a restart in the times of the files; a disk that refuses keeps an older one.
            drop(file.set_times(FileTimes::new().set_accessed(SystemTime::now())));
        }
        let known = self.checked().get(&(class, *root)) == Some(&of(&seen));
        Ok(Some((known, Checked { file, len: seen.len(), path })))
    }

    /// Reads a whole file; what is not what its name says is removed, unless it is the operator's.
    fn hash(&self, class: Option<Class>, root: &Root, mut found: Checked) -> std::io::Result<Option<Checked>> {
        let seen = found.file.metadata()?;
        if self.checked().get(&(class, *root)) == Some(&of(&seen)) {
            return Ok(Some(found));
        }
        let mut hasher = ContentHasher::new();
        let mut piece = vec![0; PIECE];
        loop {
            match found.file.read(&mut piece)? {
                0 => break,
                len => hasher.update(&piece[..len]),
            }
        }
        if hasher.finish().ok() != Some(*root) {
            tracing::error!(path = %found.path.display(), "a blob is not what its name says; it is not used");
            if let Some(class) = class {
                self.discard(&mut self.index(), class, root);
            }
            return Ok(None);
        }
        self.remember(class, root, &seen);
        found.file.rewind()?;
        Ok(Some(found))
    }

    pub(super) fn remember(&self, class: Option<Class>, root: &Root, seen: &Metadata) {
        let mut checked = self.checked();
        if checked.len() >= MOST_CHECKED {
            checked.clear();
        }
        checked.insert((class, *root), of(seen));
    }
}

fn of(seen: &Metadata) -> Seen {
    (seen.len(), seen.modified().ok())
}
