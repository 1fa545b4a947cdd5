//! The log's file: opened, written and opened again after the disk failed.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use redb::{Builder, Database, DatabaseError, Error};

use super::ballast::Ballast;
use super::tables::{self, Bounds};
use super::{JobKey, JobRecord, JournalError};

/// Memory for pages of the file. Nearly all that is asked for is in the log's own memory already.
const CACHE: usize = 2 << 20;

/// A file shorter than this is never rewritten.
const COMPACT_FROM: u64 = 8 << 20;

/// A file of which less than one part in so many is used is rewritten at start.
const MOSTLY_EMPTY: u64 = 4;

/// The open file, and the space that is held back for it.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    /// Absent only between a failure of the disk and the next attempt to open the file.
    db: RwLock<Option<Database>>,
    bounds: Bounds,
    pub ballast: Ballast,
    /// Held for as long as the log is open: the database's own lock is given up while it is opened again.
    _lock: File,
}

/// What is kept in memory of the file.
pub(super) type Records = Vec<(JobKey, JobRecord)>;

impl LogFile {
    /// Opens or creates the file, takes its lock, and reads the jobs that are not over.
    pub(super) fn open(path: &Path, bounds: Bounds) -> Result<(Self, Records), JournalError> {
        let io = |error: std::io::Error| JournalError::Io { path: path.to_owned(), reason: error.to_string() };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let old = path.with_file_name("journal.jsonl");
        if old.metadata().is_ok_and(|metadata| metadata.len() > 0) {
            return Err(JournalError::Outdated { path: old });
        }
        let lock = lock(path)?;
        private().read(true).append(true).create(true).open(path).map_err(io)?;
        let ballast = Ballast::beside(path);
        let opened = open_and_read(path);
        let opened = match opened {
            Err(JournalError::Full { .. }) if ballast.give_up() => open_and_read(path),
            opened => opened,
        };
        let (mut db, records) = opened?;
        if let Err(error) = compact(path, &mut db) {
            tracing::warn!(path = %path.display(), %error, "the crash log was not made shorter");
            drop(db);
            db = open_database(path)?;
        }
        // The folder's entry for a new file must survive as well.
        if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
            folder.sync_all().map_err(io)?;
        }
        let file = Self { path: path.to_owned(), db: RwLock::new(Some(db)), bounds, ballast, _lock: lock };
        Ok((file, records))
    }

    /// Writes records; they are on disk when this returns. On a full disk the space that is held back is given up first.
    pub(super) fn write<'a, I>(&self, records: I) -> Result<(), JournalError>
    where
        I: Iterator<Item = (&'a JobKey, &'a JobRecord)> + Clone,
    {
        match self.try_to_write(records.clone()) {
            Err(JournalError::Full { reason, .. }) => {
                if self.ballast.give_up() {
                    tracing::error!(
                        path = %self.path.display(), reason,
                        "the disk is full; the space held back for the crash log is used now, and no new job is taken"
                    );
                }
                self.try_to_write(records)
            }
            // After any failure of the disk the database takes nothing more until it is opened again.
            Err(JournalError::Io { .. }) => self.try_to_write(records),
            written => written,
        }
    }

    fn try_to_write<'a>(&self, records: impl Iterator<Item = (&'a JobKey, &'a JobRecord)>) -> Result<(), JournalError> {
        let written = self.read(|db| tables::write(db, records, &self.bounds));
        if written.is_err() {
            // Until it is opened again, the database refuses everything.
            drop(self.db.write().unwrap_or_else(PoisonError::into_inner).take());
        }
        written
    }

    /// Asks the database, which is opened again where it had to be closed.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Database) -> Result<T, Error>) -> Result<T, JournalError> {
        let explain = |error| explain(&self.path, error);
        if let Some(db) = &*self.db.read().unwrap_or_else(PoisonError::into_inner) {
            return read(db).map_err(explain);
        }
        let mut held = self.db.write().unwrap_or_else(PoisonError::into_inner);
        let db = match held.take() {
            Some(db) => db,
            None => open_database(&self.path)?,
        };
        read(held.insert(db)).map_err(explain)
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn open_database(path: &Path) -> Result<Database, JournalError> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder.set_check_integrity_on_open(true);
    builder.create(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => JournalError::InUse { path: path.to_owned() },
        error => explain(path, error.into()),
    })
}

fn open_and_read(path: &Path) -> Result<(Database, Records), JournalError> {
    let read = || {
        let db = open_database(path)?;
        let explain = |error| explain(path, error);
        tables::prepare(&db, crate::instance::new_number()).map_err(explain)?;
        let records = tables::open_jobs(&db).map_err(explain)?;
        Ok((db, records))
    };
    // Of a damaged file some things are asserted where they are read.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(JournalError::Damaged { path: path.to_owned(), reason: "its pages contradict each other".to_owned() })
    })
}

/// Rewrites a file of which most is empty.
fn compact(path: &Path, db: &mut Database) -> Result<(), Error> {
    let len = path.metadata()?.len();
    if len < COMPACT_FROM {
        return Ok(());
    }
    let transaction = db.begin_write()?;
    let used = transaction.stats()?.stored_bytes();
    transaction.abort()?;
    if used > len / MOSTLY_EMPTY {
        return Ok(());
    }
    db.compact()?;
    tracing::info!(path = %path.display(), before = len, now = path.metadata()?.len(), "made the crash log shorter");
    Ok(())
}

/// The database's errors in our terms.
fn explain(path: &Path, error: Error) -> JournalError {
    let (path, reason) = (path.to_owned(), error.to_string());
    match error {
        Error::Io(error) => match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => JournalError::Full { path, reason },
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => JournalError::Damaged { path, reason },
            _ => JournalError::Io { path, reason },
        },
        Error::Corrupted(_)
        | Error::UpgradeRequired(_)
        | Error::RepairAborted
        | Error::TableTypeMismatch { .. }
        | Error::TypeDefinitionChanged { .. } => JournalError::Damaged { path, reason },
        _ => JournalError::Io { path, reason },
    }
}

/// Takes the lock beside the log. A node that is just ending, or a child process that is just starting, holds it for a
/// moment longer, so it is asked for again during one second.
fn lock(path: &Path) -> Result<File, JournalError> {
    let io = |error: std::io::Error| JournalError::Io { path: path.to_owned(), reason: error.to_string() };
    let lock = File::create(path.with_extension("lock")).map_err(io)?;
    for attempt in 0.. {
        match lock.try_lock() {
            Ok(()) => break,
            Err(std::fs::TryLockError::WouldBlock) if attempt < 20 => {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(JournalError::InUse { path: path.to_owned() }),
            Err(std::fs::TryLockError::Error(error)) => return Err(io(error)),
        }
    }
    Ok(lock)
}

/// Files that only this user may read: until a result is revealed, its salt is a secret.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
