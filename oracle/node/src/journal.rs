//! The crash log: what this node is about to do, written and synced BEFORE it does it.
//!
//! One JSON object per line, append only. After a crash the log is read from the start; a torn last line, which is an
//! effect that never began, is cut off. The log decides two things that the chain cannot: which result this node has
//! computed for a job (it never commits to another), and which receipt it has signed (it never signs another).
//!
//! Each entry names one posting of a job, not only its address: see [`JobKey`].

mod compact;
mod entry;
mod record;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use solana_pubkey::Pubkey;

pub use entry::{End, Entry, Event, JobKey, Step, Terms};
pub use record::{Computed, JobRecord};

/// Why the log cannot be used. The node stops on any of these rather than act without a log.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be opened, read or written.
    #[error(
        "the crash log {path} cannot be used ({reason}); free space on its disk and make it writable for this user"
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A line in the middle is not an entry.
    #[error(
        "the crash log {path} is damaged at line {line} ({reason}); restore it from a backup, or move it away once the node holds no seat on the chain"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process uses it.
    #[error(
        "the crash log {path} is in use by another process; stop the other node, or give this one its own data folder"
    )]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// The log forbids the entry.
    #[error("refused for job {job}: {reason}")]
    Conflict {
        /// Which job.
        job: Pubkey,
        /// Which rule.
        reason: &'static str,
    },
}

/// How many jobs that are over the log keeps before it drops them.
const MOST_OVER: usize = 10_000;

/// The open log. Every append is on disk when it returns.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Held for as long as the log is open. A file of its own, because compaction replaces the log's.
    _lock: File,
    jobs: BTreeMap<JobKey, JobRecord>,
    /// Jobs that are over and still kept, at most.
    most_over: usize,
    /// Set when a write failed half-way: nothing may follow until a restart has cut the torn line off.
    broken: bool,
}

impl Journal {
    /// Opens or creates the log and reads what it says. The file stays locked until the log is dropped.
    ///
    /// # Errors
    /// [`JournalError::Io`], [`JournalError::Damaged`], [`JournalError::InUse`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Self::open_keeping(path, MOST_OVER)
    }

    /// As [`Journal::open`]; when more than `most_over` jobs are over, they are dropped from the log.
    ///
    /// # Errors
    /// As for [`Journal::open`].
    pub fn open_keeping(path: &Path, most_over: usize) -> Result<Self, JournalError> {
        let io = |error: std::io::Error| JournalError::Io { path: path.to_owned(), reason: error.to_string() };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let lock = lock(path)?;
        let mut file = private().read(true).append(true).create(true).open(path).map_err(io)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(io)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if whole < text.len() {
            tracing::warn!(path = %path.display(), bytes = text.len() - whole, "cut a torn entry off the crash log");
            file.set_len(whole as u64).map_err(io)?;
            file.seek(SeekFrom::End(0)).map_err(io)?;
            file.sync_all().map_err(io)?;
        }
        let mut jobs = BTreeMap::new();
        for (index, line) in text[..whole].split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty())
        {
            let damaged = |reason: String| JournalError::Damaged { path: path.to_owned(), line: index + 1, reason };
            let entry: Entry = serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
            apply(&mut jobs, &entry).map_err(|error| damaged(error.to_string()))?;
        }
        if compact::compact(path, &mut jobs, most_over).map_err(io)? {
            tracing::info!(path = %path.display(), jobs = jobs.len(), "dropped jobs that are over from the crash log");
            file = private().append(true).open(path).map_err(io)?;
        }
        // The folder's entry for a new file must survive as well.
        if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
            folder.sync_all().map_err(io)?;
        }
        Ok(Self {
            path: path.to_owned(),
            inner: Mutex::new(Inner { file, _lock: lock, jobs, most_over, broken: false }),
        })
    }

    /// Writes one entry and syncs it. Only when this returns `Ok` may the effect happen.
    ///
    /// # Errors
    /// [`JournalError::Conflict`] when the log's rules forbid it (nothing is written), [`JournalError::Io`].
    pub fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let io = |reason: String| JournalError::Io { path: self.path.clone(), reason };
        if inner.broken {
            return Err(io("an earlier write failed; restart the node".to_owned()));
        }
        check(&inner.jobs, entry)?;
        let mut line = serde_json::to_vec(entry).map_err(|error| io(error.to_string()))?;
        line.push(b'\n');
        if let Err(error) = inner.file.write_all(&line).and_then(|()| inner.file.sync_data()) {
            inner.broken = true;
            return Err(io(error.to_string()));
        }
        apply(&mut inner.jobs, entry)?;
        if inner.jobs.len() / 2 > inner.most_over {
            inner.jobs.retain(|_, record| !compact::is_over(record));
        }
        Ok(())
    }

    fn jobs<T>(&self, look: impl FnOnce(&BTreeMap<JobKey, JobRecord>) -> T) -> T {
        look(&self.inner.lock().unwrap_or_else(PoisonError::into_inner).jobs)
    }

    /// What the log says of one posting of a job.
    #[must_use]
    pub fn job(&self, key: &JobKey) -> Option<JobRecord> {
        self.jobs(|jobs| jobs.get(key).cloned())
    }

    /// Every posting of a job that lived at this address.
    #[must_use]
    pub fn at(&self, address: &Pubkey) -> Vec<(JobKey, JobRecord)> {
        let bound = |posted_at, input_root| JobKey { job: *address, posted_at, input_root };
        let all = bound(0, [0; 32])..=bound(u64::MAX, [u8::MAX; 32]);
        self.jobs(|jobs| jobs.range(all).map(|(key, record)| (*key, record.clone())).collect())
    }

    /// Every job that was begun and is not decided.
    #[must_use]
    pub fn in_progress(&self) -> Vec<(JobKey, JobRecord)> {
        self.select(|_, record| record.is_in_progress())
    }

    /// Every job that is decided and whose pay or bond is awaited.
    #[must_use]
    pub fn awaiting_pay(&self) -> Vec<(JobKey, JobRecord)> {
        self.select(|_, record| record.is_awaiting_pay())
    }

    fn select(&self, which: impl Fn(&JobKey, &JobRecord) -> bool) -> Vec<(JobKey, JobRecord)> {
        self.jobs(|jobs| {
            let chosen = jobs.iter().filter(|(key, record)| which(key, record));
            chosen.map(|(key, record)| (*key, record.clone())).collect()
        })
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

fn check(jobs: &BTreeMap<JobKey, JobRecord>, entry: &Entry) -> Result<(), JournalError> {
    let conflict = |reason| JournalError::Conflict { job: entry.key.job, reason };
    let empty = JobRecord::default();
    jobs.get(&entry.key).unwrap_or(&empty).check(&entry.key, &entry.event).map_err(conflict)
}

fn apply(jobs: &mut BTreeMap<JobKey, JobRecord>, entry: &Entry) -> Result<(), JournalError> {
    check(jobs, entry)?;
    jobs.entry(entry.key).or_default().apply(&entry.event);
    Ok(())
}
