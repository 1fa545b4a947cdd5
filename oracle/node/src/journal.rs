//! The crash log: what this node is about to do, on disk BEFORE it does it.
//!
//! One record per posting of a job (see [`JobKey`]), in one file that is changed by transactions: after a crash, and after a
//! power cut, the file holds every entry that [`Journal::append`] returned for and nothing of one that was not finished. The
//! log decides two things that the chain cannot: which result this node has computed for a job (it never commits to another),
//! and which receipt it has signed (it never signs another). The receipts lie in the same file.
//!
//! Memory holds the jobs that are not over, and nothing of the others; the file holds a bounded number of those. Entries that
//! are appended at the same time share one transaction, so that many jobs do not wait for one disk in a row.

mod ballast;
mod entry;
mod error;
mod file;
mod queue;
mod record;
mod tables;
mod together;

use std::path::Path;
use std::sync::Arc;

use provena_wire::SignedReceipt;
use solana_pubkey::Pubkey;

pub use entry::{End, Entry, Event, JobKey, Step, Terms};
pub use error::JournalError;
pub use record::{Computed, JobRecord};
pub use tables::{LastReceipt, LostBond};

use file::LogFile;
pub use queue::Counts;
use queue::Queue;
use tables::Bounds;
use together::Together;

/// How many jobs that are over the log keeps before it drops the oldest.
const MOST_OVER: u64 = 10_000;

/// How many jobs that were given up with a result it keeps.
const MOST_BOUND: u64 = 50_000;

/// How many receipts it keeps.
const MOST_RECEIPTS: u64 = 50_000;

/// The name of the log's file in the node's data folder.
pub const FILE_NAME: &str = "journal.redb";

/// The open log, shared by whoever has a copy. Every append is on disk when it returns.
#[derive(Debug, Clone)]
pub struct Journal {
    queue: Arc<Queue>,
    together: Arc<Together>,
    was_empty: bool,
    instance: u64,
}

impl Journal {
    /// Opens or creates the log and reads what it says. The file stays locked until the last copy of the log is dropped.
    ///
    /// # Errors
    /// [`JournalError::Io`], [`JournalError::Full`], [`JournalError::Damaged`], [`JournalError::Outdated`],
    /// [`JournalError::InUse`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Self::open_within(path, Bounds { over: MOST_OVER, bound: MOST_BOUND, receipts: MOST_RECEIPTS })
    }

    /// As [`Journal::open`], keeping at most `most` of each kind of what is over: jobs, and receipts.
    ///
    /// # Errors
    /// As for [`Journal::open`].
    pub fn open_keeping(path: &Path, most: u64) -> Result<Self, JournalError> {
        Self::open_within(path, Bounds { over: most, bound: most, receipts: most })
    }

    fn open_within(path: &Path, bounds: Bounds) -> Result<Self, JournalError> {
        let (file, records) = LogFile::open(path, bounds)?;
        let was_empty = file.read(tables::is_empty)?;
        let instance = file.read(tables::instance)?;
        Ok(Self { queue: Arc::new(Queue::new(file, records)), together: Arc::default(), was_empty, instance })
    }

    /// Writes one entry. Only when this returns `Ok` may the effect happen; see [`JournalError::Full`] for the one
    /// exception.
    ///
    /// It blocks for as long as the disk takes; tasks use [`Journal::write`].
    ///
    /// # Errors
    /// [`JournalError::Conflict`] when the log's rules forbid it (nothing is written), [`JournalError::Full`],
    /// [`JournalError::Io`].
    pub fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        self.append_all(std::slice::from_ref(entry))
    }

    /// Writes several entries together: all of them or none.
    ///
    /// # Errors
    /// As for [`Journal::append`].
    pub fn append_all(&self, entries: &[Entry]) -> Result<(), JournalError> {
        self.queue.append(entries)
    }

    /// As [`Journal::append_all`], without blocking the runtime: however many tasks write at the same time, one thread
    /// does it for all of them.
    ///
    /// # Errors
    /// As for [`Journal::append`].
    pub async fn write(&self, entries: Vec<Entry>) -> Result<(), JournalError> {
        self.together.write(&self.queue, entries).await
    }

    /// What the log says of one posting of a job.
    #[must_use]
    pub fn job(&self, key: &JobKey) -> Option<JobRecord> {
        self.queue.job(key)
    }

    /// Every posting of a job that lived at this address.
    #[must_use]
    pub fn at(&self, address: &Pubkey) -> Vec<(JobKey, JobRecord)> {
        self.queue.at(address)
    }

    /// Every job that was begun and is not decided.
    #[must_use]
    pub fn in_progress(&self) -> Vec<(JobKey, JobRecord)> {
        self.queue.open_jobs(JobRecord::is_in_progress)
    }

    /// Every job that is decided and whose pay or bond is awaited.
    #[must_use]
    pub fn awaiting_pay(&self) -> Vec<(JobKey, JobRecord)> {
        self.queue.open_jobs(JobRecord::is_awaiting_pay)
    }

    /// How many jobs are open, by what they wait for.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.queue.counts()
    }

    /// The receipt that this node has signed for the newest posting at an address.
    #[must_use]
    pub fn receipt(&self, job: &Pubkey) -> Option<SignedReceipt> {
        self.queue.receipt(job)
    }

    /// The newest receipt that this node has signed.
    #[must_use]
    pub fn last_receipt(&self) -> Option<LastReceipt> {
        self.queue.look_up(tables::last_receipt).flatten()
    }

    /// The bonds that this node has lost, the newest first; only the last hundred are remembered.
    #[must_use]
    pub fn lost_bonds(&self) -> Vec<LostBond> {
        self.queue.look_up(tables::lost_bonds).unwrap_or_default()
    }

    /// Whether the log was empty when it was opened: a node's first start, or one after the log was lost.
    #[must_use]
    pub fn was_empty(&self) -> bool {
        self.was_empty
    }

    /// The log's own number, which it got when it was made and which is never zero. With it a node says on chain which process
    /// takes its seats: it is the same after a restart, and another one with another log.
    #[must_use]
    pub fn instance(&self) -> u64 {
        self.instance
    }

    /// Whether the log does not have the space that it holds back, or could not write all of its entries: the disk is full.
    /// What was begun goes on; nothing new may be.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.queue.is_degraded()
    }

    /// Tries to write what could not be written and to hold back space again; says whether the log is whole. To be called
    /// now and then while it is degraded.
    pub fn restore(&self) -> bool {
        self.queue.restore();
        !self.is_degraded()
    }

    /// Whether nothing can be read or written any more, with the reason.
    #[must_use]
    pub fn broken(&self) -> Option<String> {
        self.queue.broken()
    }
}
