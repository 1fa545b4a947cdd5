//! Requests that were begun to be prepared and never were: remembered across restarts.
//!
//! A request is marked before it is prepared and unmarked after. One that takes the whole process with it, for memory or
//! otherwise, stays marked, so that the node does not die of it again at each start until the job expires.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use provena_arith::hash::{Hash, sha256};
use provena_client::store::Root;

/// Marks that are kept; the oldest one gives way.
const SLOTS: usize = 1_024;
/// Bytes of one: what was begun, and how often.
const SLOT: usize = 33;
/// How often a request is begun before it is left alone.
const MOST: u8 = 2;

/// The marks, in a file that never grows.
///
/// Nothing here is synced: what a dying process wrote stays in the system's cache, and after a power failure a request
/// only gets another attempt.
#[derive(Debug)]
pub struct Attempts {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    slots: Vec<(Hash, u8)>,
    /// Which slot is taken next.
    next: usize,
    /// What is being prepared now, and for how many.
    active: HashMap<Hash, usize>,
}

/// A request that is being prepared. Dropped without [`Attempt::done`], its mark stays.
#[derive(Debug)]
pub struct Attempt {
    attempts: Arc<Attempts>,
    key: Hash,
    done: bool,
}

impl Attempts {
    /// Opens the marks at `path`, or makes them. A file that is none of ours is begun anew.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = vec![0; SLOTS * SLOT];
        if file.read_exact_at(&mut bytes, 0).is_err() {
            bytes.fill(0);
            file.set_len(0)?;
            file.write_all_at(&bytes, 0)?;
        }
        let slots = bytes.chunks_exact(SLOT).map(|slot| {
            let (key, count) = slot.split_at(SLOT - 1);
            (key.try_into().unwrap_or_default(), count.first().copied().unwrap_or_default())
        });
        let slots = slots.collect();
        Ok(Self { inner: Mutex::new(Inner { file, slots, next: 0, active: HashMap::new() }) })
    }

    /// Marks a request for a model; `None` when it was begun too often. Several who prepare it at the same time are one
    /// attempt. Where the mark cannot be written it is kept in memory, and the request is begun all the same.
    #[must_use]
    pub fn begin(self: &Arc<Self>, model: &Root, input: &Root) -> Option<Attempt> {
        let key = sha256(&[model, input]);
        let mut inner = self.inner();
        if let Some(count) = inner.active.get_mut(&key) {
            *count += 1;
            return Some(Attempt { attempts: Arc::clone(self), key, done: false });
        }
        let known = inner.slots.iter().position(|(known, count)| *known == key && *count > 0);
        let count = known.and_then(|slot| inner.slots.get(slot)).map_or(0, |(_, count)| *count);
        if count >= MOST {
            return None;
        }
        let slot = known.unwrap_or_else(|| inner.free());
        inner.write(slot, (key, count + 1));
        inner.active.insert(key, 1);
        drop(inner);
        Some(Attempt { attempts: Arc::clone(self), key, done: false })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// An empty slot, or the one that was taken longest ago.
    fn free(&mut self) -> usize {
        let from = self.next;
        let after = (0..SLOTS).map(|step| (from + step) % SLOTS);
        let slot = after.into_iter().find(|slot| self.slots.get(*slot).is_some_and(|(_, count)| *count == 0));
        let slot = slot.unwrap_or(from);
        self.next = (slot + 1) % SLOTS;
        slot
    }

    fn write(&mut self, slot: usize, mark: (Hash, u8)) {
        if let Some(kept) = self.slots.get_mut(slot) {
            *kept = mark;
        }
        let mut bytes = [0; SLOT];
        let (key, count) = bytes.split_at_mut(SLOT - 1);
        key.copy_from_slice(&mark.0);
        count.fill(mark.1);
        if let Err(error) = self.file.write_all_at(&bytes, (slot * SLOT) as u64) {
            tracing::warn!(%error, "the mark of a request cannot be written");
        }
    }
}

impl Attempt {
    /// The request was prepared, or refused in good order.
    pub fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut inner = self.attempts.inner();
        if let Some(count) = inner.active.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                inner.active.remove(&self.key);
            }
        }
        if self.done
            && let Some(slot) = inner.slots.iter().position(|(known, count)| *known == self.key && *count > 0)
        {
            inner.write(slot, ([0; 32], 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &tempfile::TempDir) -> Arc<Attempts> {
        Arc::new(Attempts::open(&folder.path().join("attempts")).expect("the folder is writable"))
    }

    #[test]
    fn a_request_that_never_ended_gets_two_attempts_across_restarts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let begin = || open(&folder).begin(&[1; 32], &[2; 32]).is_some();
        assert!(begin());
        assert!(begin());
        assert!(!begin());
        // Others are not touched by it.
        assert!(open(&folder).begin(&[1; 32], &[3; 32]).is_some());
        assert!(open(&folder).begin(&[2; 32], &[2; 32]).is_some());
    }

    #[test]
    fn a_request_that_ended_may_come_again_for_ever() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for _ in 0..5 {
            let attempts = open(&folder);
            attempts.begin(&[1; 32], &[2; 32]).expect("it is new").done();
        }
    }

    #[test]
    fn many_who_prepare_the_same_at_once_are_one_attempt() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let attempts = open(&folder);
        let begin = || attempts.begin(&[1; 32], &[2; 32]);
        let all: Vec<_> = (0..10).map(|_| begin().expect("it is one attempt")).collect();
        drop(all);
        let second: Vec<_> = (0..10).map(|_| begin().expect("it is the second")).collect();
        drop(second);
        assert!(begin().is_none());
    }

    #[test]
    fn the_file_never_grows_and_the_oldest_gives_way() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let attempts = open(&folder);
        let stuck = |index: u16| {
            let mut input = [0; 32];
            input[..2].copy_from_slice(&index.to_le_bytes());
            attempts.begin(&[1; 32], &input).is_some()
        };
        for index in 0..=1_024 {
            assert!(stuck(index) && stuck(index));
        }
        assert!(!stuck(1_024) && !stuck(1) && stuck(0));
        let len = std::fs::metadata(folder.path().join("attempts")).expect("it is there").len();
        assert_eq!(len, (SLOTS * SLOT) as u64);
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_begun_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("attempts"), "something else").expect("it is written");
        assert!(open(&folder).begin(&[1; 32], &[2; 32]).is_some());
    }
}
