//! The folders of the store and the index of what is in them. Names change only under the index's lock, so that the two
//! never differ.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use provena_arith::merkle::ContentHasher;
use provena_client::store::{Bytes, Root};

use super::index::{Holder, Index};
use super::{BlobError, Class, Failure, Quotas};

/// Folder of what is being written.
const DRAFTS: &str = "drafts";

/// Files whose content is known to be what their name says.
const MOST_CHECKED: usize = 16_384;

/// Bytes that are read at a time to check a file.
const PIECE: usize = 256 << 10;

/// Nobody in particular.
pub(super) const NOBODY: Holder = [0; 32];

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
type Seen = (u64, Option<SystemTime>);

/// The folders.
pub(super) struct Own {
    pub(super) folder: PathBuf,
    index: Mutex<Index>,
    /// By class, or `None` in a folder of the operator's.
    checked: Mutex<HashMap<(Option<Class>, Root), Seen>>,
    /// Held while a file is checked, so that many who want one do not check it all at once.
    checking: tokio::sync::Mutex<()>,
    failure: Mutex<Option<Failure>>,
    drafts: AtomicU64,
}

impl Own {
    pub(super) fn open(folder: &Path, quotas: Quotas) -> std::io::Result<Self> {
        let drafts = folder.join(DRAFTS);
        fs::create_dir_all(&drafts)?;
        // The node's lock is held: whatever is here was being written when the last process ended.
        for draft in fs::read_dir(&drafts)? {
            fs::remove_file(draft?.path())?;
        }
        let mut index = Index::new(quotas);
        for class in Class::ALL {
            let path = folder.join(class.folder());
            fs::create_dir_all(&path)?;
            let mut found = Vec::new();
            for (root, file, seen) in list(&path)? {
                found.push((seen.accessed().unwrap_or(SystemTime::UNIX_EPOCH), root, seen.len()));
                drop(file);
            }
            found.sort_unstable();
            for (_, root, len) in found {
                index.insert(class, root, len, NOBODY);
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            index: Mutex::new(index),
            checked: Mutex::default(),
            checking: tokio::sync::Mutex::default(),
            failure: Mutex::default(),
            drafts: AtomicU64::new(0),
        })
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn path(&self, class: Class, root: &Root) -> PathBuf {
        self.folder.join(class.folder()).join(hex::encode(root))
    }

    /// A name that no draft has.
    pub(super) fn draft_path(&self) -> PathBuf {
        self.folder.join(DRAFTS).join(self.drafts.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Removes a blob and its file.
    pub(super) fn discard(&self, index: &mut Index, class: Class, root: &Root) {
        index.remove(class, root);
        self.checked().remove(&(Some(class), *root));
        if let Err(error) = fs::remove_file(self.path(class, root))
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%class, root = hex::encode(root), %error, "a blob cannot be removed");
        }
    }

    /// Gives a finished draft its name. Its bytes are known to be what `root` names.
    pub(super) fn keep(
        &self,
        draft: &Path,
        class: Class,
        root: &Root,
        len: u64,
        holder: Holder,
    ) -> std::io::Result<()> {
        let path = self.path(class, root);
        let mut index = self.index();
        fs::rename(draft, &path)?;
        index.insert(class, *root, len, holder);
        let seen = fs::metadata(&path)?;
        self.remember(Some(class), root, &seen);
        Ok(())
    }

    /// Turns an upload into an input; says whether there was one.
    pub(super) fn promote(&self, root: &Root) -> bool {
        self.relabel(root, Class::Upload, Class::Input)
    }

    /// Moves a blob into another class; says whether it was there.
    pub(super) fn relabel(&self, root: &Root, from: Class, to: Class) -> bool {
        let mut index = self.index();
        let Some((_, len)) = index.find(root, &[from]) else { return false };
        if let Err(error) = fs::rename(self.path(from, root), self.path(to, root)) {
            tracing::warn!(root = hex::encode(root), %from, %to, %error, "a blob cannot be moved");
            return false;
        }
        let holder = index.holder(from, root).unwrap_or(NOBODY);
        index.remove(from, root);
        index.insert(to, *root, len, holder);
        let mut checked = self.checked();
        if let Some(seen) = checked.remove(&(Some(from), *root)) {
            checked.insert((Some(to), *root), seen);
        }
        true
    }

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
        let _one_at_a_time = self.checking.lock().await;
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
        std::io::Seek::rewind(&mut found.file)?;
        Ok(Some(found))
    }

    /// A blob of at most `max_len` bytes, whole and verified. An upload becomes an input.
    pub(super) async fn read(self: &Arc<Self>, root: &Root, max_len: u64) -> Result<Option<Bytes>, BlobError> {
        self.promote(root);
        self.read_from(root, &[Class::Input, Class::Answer, Class::Artifact], max_len).await
    }

    /// As [`Own::read`], from these classes.
    pub(super) async fn read_from(
        self: &Arc<Self>,
        root: &Root,
        classes: &[Class],
        max_len: u64,
    ) -> Result<Option<Bytes>, BlobError> {
        let Some(Checked { file, len, .. }) = self.open_checked(root, classes).await? else { return Ok(None) };
        if len > max_len {
            return Err(BlobError::TooLarge { limit: max_len });
        }
        let read = move || {
            let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
            file.take(len).read_to_end(&mut bytes).map(|_| Bytes::from(bytes))
        };
        Ok(Some(tokio::task::spawn_blocking(read).await.map_err(std::io::Error::other)??))
    }

    /// Moves the blobs of an older folder into this store.
    pub(super) fn adopt(&self, folder: &Path, class_of: impl Fn(u64) -> Class) -> std::io::Result<()> {
        for (root, path, seen) in list(folder)? {
            let class = class_of(seen.len());
            let mut index = self.index();
            fs::rename(path, self.path(class, &root))?;
            index.insert(class, root, seen.len(), NOBODY);
        }
        Ok(())
    }

    /// The last failure to write, unless one has succeeded since.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records that writing failed.
    pub(super) fn failed(&self, error: &std::io::Error) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            tracing::error!(%error, "the store cannot write; no new jobs are taken until it can");
        }
        *failure = Some(Failure { reason: error.to_string(), at: SystemTime::now() });
    }

    /// Records that writing succeeded.
    pub(super) fn wrote(&self) {
        if self.failure.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!("the store writes again");
        }
    }

    fn remember(&self, class: Option<Class>, root: &Root, seen: &fs::Metadata) {
        let mut checked = self.checked();
        if checked.len() >= MOST_CHECKED {
            checked.clear();
        }
        checked.insert((class, *root), of(seen));
    }

    fn checked(&self) -> MutexGuard<'_, HashMap<(Option<Class>, Root), Seen>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(seen: &fs::Metadata) -> Seen {
    (seen.len(), seen.modified().ok())
}

/// The files of a folder that are named by a root. Others are left alone, and so is a folder that is not there.
fn list(folder: &Path) -> std::io::Result<Vec<(Root, PathBuf, fs::Metadata)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let seen = entry.metadata()?;
        let root = entry.file_name().to_str().and_then(provena_wire::root::parse);
        if let (Some(root), true) = (root, seen.is_file()) {
            found.push((root, entry.path(), seen));
        }
    }
    Ok(found)
}
