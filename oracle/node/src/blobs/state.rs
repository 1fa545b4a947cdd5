//! How full the store is, and whether it works.

use std::time::SystemTime;

use serde::Serialize;

use super::Class;
use super::own::Own;

/// A failure to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The system's words.
    pub reason: String,
    /// When it happened.
    #[serde(serialize_with = "unix_seconds")]
    pub at: SystemTime,
}

/// What one class holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClassState {
    /// Which class.
    pub class: Class,
    /// Bytes on the disk, in whole blocks.
    pub bytes: u64,
    /// Bytes reserved for what is not written yet.
    pub reserved: u64,
    /// Bytes that there may be; answers and sealed answers share theirs.
    pub quota: u64,
}

/// How full the store is, and whether it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoreState {
    /// Each class.
    pub classes: Vec<ClassState>,
    /// Bytes that the disk has left; `None` when it cannot be asked.
    pub free: Option<u64>,
    /// Bytes that stay free.
    pub keep_free: u64,
    /// Bytes of answers in memory that the disk did not take.
    pub unwritten: u64,
    /// The last failure to write, unless one has succeeded since.
    pub failure: Option<Failure>,
}

impl StoreState {
    /// Whether the store takes new blobs: it can write, and the disk has more than what stays free.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.failure.is_none() && self.free.is_some_and(|free| free > self.keep_free)
    }
}

pub(super) fn of(own: &Own, unwritten: u64) -> StoreState {
    let free = own.free().ok();
    let failure = own.failure();
    let index = own.index();
    let classes = Class::ALL.map(|class| ClassState {
        class,
        bytes: index.used(class),
        reserved: index.reserved(class),
        quota: index.quotas().of(class),
    });
    StoreState { classes: classes.to_vec(), free, keep_free: index.quotas().keep_free, unwritten, failure }
}

fn unix_seconds<S: serde::Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    serializer.serialize_u64(since.as_secs())
}
