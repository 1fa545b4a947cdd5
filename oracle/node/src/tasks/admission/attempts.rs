//! Requests that were begun to be prepared and never were: remembered across restarts.
//!
//! A request is marked before it is prepared and unmarked after. One that takes the whole process with it, for memory or
//! otherwise, stays marked, so that the node does not die of it again at each start until the job expires. A model that is
//! loaded is marked in the same way.
//!
//! A mark holds for [`HOLDS`]: memory may have been added since, or a fault mended. A node that stops in good order takes the
//! marks back of what was being prepared then ([`Attempts::stop`]): it did not die of that.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use provena_arith::hash::{Hash, sha256};
use provena_client::store::Root;

/// Marks that are kept; the oldest one gives way.
const SLOTS: usize = 1_024;
/// Bytes of one: what was begun, how often, and when last, in seconds since 1970, little-endian.
const SLOT: usize = 41;
/// How often a request is begun before it is left alone.
const MOST: u8 = 2;
/// How long a mark holds since its last attempt.
const HOLDS: Duration = Duration::from_secs(3 * 24 * 3_600);

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
    slots: Vec<Mark>,
    /// Which slot is taken next.
    next: usize,
    /// What is being prepared now, and for how many.
    active: HashMap<Hash, usize>,
}

/// How often something was begun, and when last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    key: Hash,
    count: u8,
    /// Seconds since 1970.
    at: u64,
}

impl Mark {
    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, rest) = bytes.split_first_chunk()?;
        let (count, at) = rest.split_first()?;
        Some(Self { key: *key, count: *count, at: u64::from_le_bytes(at.try_into().ok()?) })
    }

    fn to_bytes(self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        let (key, rest) = bytes.split_at_mut(self.key.len());
        key.copy_from_slice(&self.key);
        let (count, at) = rest.split_at_mut(1);
        count.fill(self.count);
        at.copy_from_slice(&self.at.to_le_bytes());
        bytes
    }

    /// Whether it still says something.
    fn holds(&self, now: u64) -> bool {
        self.count > 0 && now.saturating_sub(self.at) < HOLDS.as_secs()
    }
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
        Self::open_at(path, now())
    }

    fn open_at(path: &Path, now: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = vec![0; SLOTS * SLOT];
        if file.metadata()?.len() != bytes.len() as u64 || file.read_exact_at(&mut bytes, 0).is_err() {
            bytes.fill(0);
            file.set_len(0)?;
            file.write_all_at(&bytes, 0)?;
        }
        let slots = bytes.chunks_exact(SLOT).map(|bytes| Mark::of_bytes(bytes).unwrap_or_default()).collect();
        let mut inner = Inner { file, slots, next: 0, active: HashMap::new() };
        inner.date(now);
        Ok(Self { inner: Mutex::new(inner) })
    }

    /// Marks a request for a model; `None` when it was begun too often lately. Several who prepare it at the same time are one
    /// attempt. Where the mark cannot be written it is kept in memory, and the request is begun all the same.
    #[must_use]
    pub fn begin(self: &Arc<Self>, model: &Root, input: &Root) -> Option<Attempt> {
        self.begin_at(model, input, now())
    }

    fn begin_at(self: &Arc<Self>, model: &Root, input: &Root, now: u64) -> Option<Attempt> {
        let key = sha256(&[model, input]);
        let mut inner = self.inner();
        if let Some(count) = inner.active.get_mut(&key) {
            *count += 1;
            return Some(Attempt { attempts: Arc::clone(self), key, done: false });
        }
        let known = inner.slot_of(&key);
        let mark = known.and_then(|slot| inner.slots.get(slot)).filter(|mark| mark.holds(now));
        let count = mark.map_or(0, |mark| mark.count);
        if count >= MOST {
            return None;
        }
        let slot = known.unwrap_or_else(|| inner.free(now));
        inner.write(slot, Mark { key, count: count + 1, at: now });
        inner.active.insert(key, 1);
        drop(inner);
        Some(Attempt { attempts: Arc::clone(self), key, done: false })
    }

    /// Takes back the attempts that go on: the process ends in good order, and not because of them.
    pub fn stop(&self) {
        let mut inner = self.inner();
        for key in std::mem::take(&mut inner.active).into_keys() {
            if let Some((slot, mark)) = inner.slot_of(&key).and_then(|slot| Some((slot, *inner.slots.get(slot)?))) {
                let count = mark.count - 1;
                inner.write(slot, if count == 0 { Mark::default() } else { Mark { count, ..mark } });
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Dates marks of the future anew: a clock that was wrong once lets none hold for ever.
    fn date(&mut self, now: u64) {
        for slot in 0..self.slots.len() {
            if let Some(mark) = self.slots.get(slot).copied().filter(|mark| mark.at > now) {
                self.write(slot, Mark { at: now, ..mark });
            }
        }
    }

    /// The slot in which something is marked.
    fn slot_of(&self, key: &Hash) -> Option<usize> {
        self.slots.iter().position(|mark| mark.key == *key && mark.count > 0)
    }

    /// A slot whose mark says nothing, or the one that was taken longest ago.
    fn free(&mut self, now: u64) -> usize {
        let from = self.next;
        let after = (0..SLOTS).map(|step| (from + step) % SLOTS);
        let slot = after.into_iter().find(|slot| self.slots.get(*slot).is_some_and(|mark| !mark.holds(now)));
        let slot = slot.unwrap_or(from);
        self.next = (slot + 1) % SLOTS;
        slot
    }

    fn write(&mut self, slot: usize, mark: Mark) {
        if let Some(kept) = self.slots.get_mut(slot) {
            *kept = mark;
        }
        if let Err(error) = self.file.write_all_at(&mark.to_bytes(), (slot * SLOT) as u64) {
            tracing::warn!(%error, "the mark of a request cannot be written");
        }
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
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
            && let Some(slot) = inner.slot_of(&self.key)
        {
            inner.write(slot, Mark::default());
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
    fn a_mark_fades_and_a_clock_that_was_wrong_keeps_none() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let open = |now| Arc::new(Attempts::open_at(&folder.path().join("attempts"), now).expect("it is writable"));
        let begin = |attempts: &Arc<Attempts>, now| attempts.begin_at(&[1; 32], &[2; 32], now).is_some();
        let (start, days) = (1_800_000_000, HOLDS.as_secs());
        assert!(begin(&open(start), start) && begin(&open(start), start + 10));
        assert!(!begin(&open(start + days), start + days + 9));
        // It may be tried as often as something new.
        let later = start + days + 10;
        assert!(begin(&open(later), later) && begin(&open(later), later) && !begin(&open(later), later));
        // What was marked in the year 2100 is as old as the first start after it.
        let wrong = 4_100_000_000;
        assert!(begin(&open(wrong), wrong) && begin(&open(wrong), wrong));
        assert!(!begin(&open(later), later) && !begin(&open(later + days - 1), later + days - 1));
        assert!(begin(&open(later + days), later + days));
    }

    #[test]
    fn a_stop_in_good_order_takes_back_what_was_being_prepared_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for _ in 0..5 {
            let attempts = open(&folder);
            let going_on = attempts.begin(&[1; 32], &[2; 32]).expect("no attempt counts");
            // What died before died all the same.
            drop(attempts.begin(&[1; 32], &[3; 32]));
            attempts.stop();
            drop(going_on);
        }
        assert!(open(&folder).begin(&[1; 32], &[3; 32]).is_none());
        // One that died once and was then stopped has one attempt left.
        drop(open(&folder).begin(&[4; 32], &[4; 32]));
        let attempts = open(&folder);
        let going_on = attempts.begin(&[4; 32], &[4; 32]).expect("the second attempt");
        attempts.stop();
        drop((going_on, attempts));
        assert!(open(&folder).begin(&[4; 32], &[4; 32]).is_some());
        assert!(open(&folder).begin(&[4; 32], &[4; 32]).is_none());
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
