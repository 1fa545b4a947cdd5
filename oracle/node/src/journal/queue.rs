//! Entries on their way to the disk. Whoever finds nobody writing writes for all who wait.

#[cfg(test)]
mod tests;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use provena_wire::SignedReceipt;
use redb::{Database, Error};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::file::{LogFile, Records};
use super::{Entry, Event, JobKey, JobRecord, JournalError, tables};
use writing::Writing;

/// The log's memory: the open jobs, and the entries that are not on disk yet.
#[derive(Debug)]
pub(super) struct Queue {
    file: LogFile,
    state: Mutex<State>,
    written: Condvar,
}

/// How many jobs are open, by what they wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The result is not known.
    pub computing: u64,
    /// The result is known, and the job is not decided.
    pub waiting_for_others: u64,
    /// Decided, and not paid.
    pub awaiting_pay: u64,
}

#[derive(Debug, Default)]
struct State {
    /// Jobs that are not over, as the file has them.
    open: BTreeMap<JobKey, JobRecord>,
    /// What a full disk did not take, as it should be in the file.
    unwritten: BTreeMap<JobKey, JobRecord>,
    /// What the queued entries, and those that are being written, lead to.
    ahead: BTreeMap<JobKey, JobRecord>,
    queued: Vec<Entry>,
    /// The number of the last append, and of the last one whose outcome is known.
    last: u64,
    done: u64,
    writing: bool,
    /// Outcomes of appends that failed, until they are asked for.
    failed: BTreeMap<u64, Failure>,
    /// Why nothing may be written any more: what is in the file is not what is in memory.
    broken: Option<String>,
}

/// Why a transaction failed, for each that waited for it.
#[derive(Debug, Clone)]
enum Failure {
    Full(String),
    Broken(String),
}

impl Queue {
    pub(super) fn new(file: LogFile, records: Records) -> Self {
        let state = State { open: records.into_iter().collect(), ..State::default() };
        Self { file, state: Mutex::new(state), written: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks the entries together and waits until they are on disk.
    pub(super) fn append(&self, entries: &[Entry]) -> Result<(), JournalError> {
        self.append_each([entries]).pop().unwrap_or(Ok(()))
    }

    /// As [`Queue::append`] for several that have nothing to do with each other, in one transaction.
    pub(super) fn append_each<'a>(
        &self,
        groups: impl IntoIterator<Item = &'a [Entry]>,
    ) -> Vec<Result<(), JournalError>> {
        let mut state = self.lock();
        let numbers: Vec<_> = groups.into_iter().map(|entries| self.enqueue(&mut state, entries)).collect();
        let last = numbers.iter().flatten().copied().max().unwrap_or(0);
        while state.done < last {
            if state.writing {
                state = self.written.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                state = self.write_all(state);
            }
        }
        let mut outcome = |number| state.failed.remove(&number).map_or(Ok(()), |failure| Err(self.failure(failure)));
        numbers.into_iter().map(|number| number.and_then(&mut outcome)).collect()
    }

    /// Checks the entries together and lines them up for the disk; returns the number under which their outcome is known.
    fn enqueue(&self, state: &mut State, entries: &[Entry]) -> Result<u64, JournalError> {
        if let Some(reason) = &state.broken {
            return Err(self.failure(Failure::Broken(reason.clone())));
        }
        let mut changed = BTreeMap::new();
        for Entry { key, event } in entries {
            let record = match changed.remove(key) {
                Some(record) => Some(record),
                None => self.newest(state, key)?,
            };
            let mut record: JobRecord = record.unwrap_or_default();
            record.check(key, event).map_err(|reason| JournalError::Conflict { job: key.job, reason })?;
            record.apply(event);
            changed.insert(*key, record);
        }
        state.ahead.extend(changed);
        state.queued.extend_from_slice(entries);
        state.last += 1;
        Ok(state.last)
    }

    /// Writes everything that is queued, for all who wait.
    fn write_all<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.write_by(state, |records| self.file.write(records.iter()))
    }

    /// As [`Queue::write_all`], by whatever writes records into the file.
    fn write_by<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        write: impl FnOnce(&BTreeMap<JobKey, JobRecord>) -> Result<(), JournalError>,
    ) -> MutexGuard<'a, State> {
        let batch = std::mem::take(&mut state.queued);
        let (first, last) = (state.done + 1, state.last);
        let writing = Writing::begin(self, &mut state, first);
        let mut records = state.unwritten.clone();
        records.extend(state.ahead.iter().map(|(key, record)| (*key, record.clone())));
        drop(state);
        let written = write(&records);
        let mut state = self.lock();
        state.done = last;
        match written {
            Ok(()) => {
                state.unwritten.clear();
                for (key, record) in records {
                    match record.end {
                        None => drop(state.open.insert(key, record)),
                        Some(_) => drop(state.open.remove(&key)),
                    }
                }
            }
            Err(JournalError::Full { reason, .. }) => {
                self.remember(&mut state, &batch);
                let failure = Failure::Full(reason);
                state.failed.extend((first..=last).map(|number| (number, failure.clone())));
            }
            Err(error) => {
                let reason = match error {
                    JournalError::Io { reason, .. } | JournalError::Damaged { reason, .. } => reason,
                    other => other.to_string(),
                };
                state.break_down(first, reason);
            }
        }
        self.look_ahead(&mut state);
        writing.ended(&mut state);
        self.written.notify_all();
        state
    }

    /// Keeps in memory what a full disk did not take: everything but new seats.
    fn remember(&self, state: &mut State, batch: &[Entry]) {
        for Entry { key, event } in batch {
            if matches!(event, Event::Taking { .. }) {
                continue;
            }
            let known = state.unwritten.remove(key).or_else(|| state.open.get(key).cloned());
            // Of a job that is over nothing is in memory; where the file cannot be read either, it says nothing new.
            let known = known.or_else(|| self.file.read(|db| tables::job(db, key)).ok().flatten());
            let mut record = known.unwrap_or_default();
            record.apply(event);
            state.unwritten.insert(*key, record);
        }
    }

    /// What the entries that came meanwhile lead to.
    fn look_ahead(&self, state: &mut State) {
        let queued: BTreeSet<JobKey> = state.queued.iter().map(|entry| entry.key).collect();
        let mut ahead = std::mem::take(&mut state.ahead);
        ahead.retain(|key, _| queued.contains(key));
        if !state.unwritten.is_empty() {
            // They were checked against entries of which some are dropped now.
            ahead.clear();
            for Entry { key, event } in &state.queued {
                let known = ahead.remove(key).or_else(|| state.unwritten.get(key).cloned());
                let known = known.or_else(|| state.open.get(key).cloned());
                let known = known.or_else(|| self.file.read(|db| tables::job(db, key)).ok().flatten());
                let mut record = known.unwrap_or_default();
                record.apply(event);
                ahead.insert(*key, record);
            }
        }
        state.ahead = ahead;
    }

    /// What is said to whoever was never told what became of his entries.
    pub(super) fn abandoned(&self) -> JournalError {
        self.failure(Failure::Broken("the thread that wrote them died".to_owned()))
    }

    fn failure(&self, failure: Failure) -> JournalError {
        let path = self.file.path().to_owned();
        match failure {
            Failure::Full(reason) => JournalError::Full { path, reason },
            Failure::Broken(reason) => {
                JournalError::Io { path, reason: format!("{reason}; an earlier write failed, so restart the node") }
            }
        }
    }

    /// What the log will say of a job once everything before is written.
    fn newest(&self, state: &State, key: &JobKey) -> Result<Option<JobRecord>, JournalError> {
        let known = state.ahead.get(key).or_else(|| state.unwritten.get(key)).or_else(|| state.open.get(key));
        match known {
            Some(record) => Ok(Some(record.clone())),
            None => self.file.read(|db| tables::job(db, key)),
        }
    }

    /// What is on disk of a job, or remembered because the disk is full.
    pub(super) fn job(&self, key: &JobKey) -> Option<JobRecord> {
        let known = {
            let state = self.lock();
            state.unwritten.get(key).or_else(|| state.open.get(key)).cloned()
        };
        known.or_else(|| self.look_up(|db| tables::job(db, key)).flatten())
    }

    pub(super) fn at(&self, address: &Pubkey) -> Vec<(JobKey, JobRecord)> {
        let mut found: BTreeMap<JobKey, JobRecord> =
            self.look_up(|db| tables::at(db, address)).unwrap_or_default().into_iter().collect();
        let state = self.lock();
        for known in [&state.open, &state.unwritten] {
            let here = known.iter().filter(|(key, _)| key.job == *address);
            found.extend(here.map(|(key, record)| (*key, record.clone())));
        }
        found.into_iter().collect()
    }

    pub(super) fn open_jobs(&self, which: impl Fn(&JobRecord) -> bool) -> Records {
        let state = self.lock();
        let newer = |key: &JobKey| state.unwritten.contains_key(key);
        let open = state.open.iter().filter(|(key, _)| !newer(key)).chain(&state.unwritten);
        open.filter(|(_, record)| which(record)).map(|(key, record)| (*key, record.clone())).collect()
    }

    pub(super) fn counts(&self) -> Counts {
        let state = self.lock();
        let newer = |key: &JobKey| state.unwritten.contains_key(key);
        let open = state.open.iter().filter(|(key, _)| !newer(key)).chain(&state.unwritten);
        open.fold(Counts::default(), |mut counts, (_, record)| {
            counts.awaiting_pay += u64::from(record.is_awaiting_pay());
            counts.waiting_for_others += u64::from(record.is_in_progress() && record.computed.is_some());
            counts.computing += u64::from(record.is_in_progress() && record.computed.is_none());
            counts
        })
    }

    pub(super) fn receipt(&self, job: &Pubkey) -> Option<SignedReceipt> {
        let unwritten = {
            let state = self.lock();
            let here = state.unwritten.iter().filter(|(key, _)| key.job == *job);
            here.filter_map(|(_, record)| record.receipt.clone()).next_back()
        };
        unwritten.or_else(|| self.look_up(|db| tables::receipt(db, job)).flatten())
    }

    /// Reads from the file. Without an answer nothing more is written: acting on half a log would be worse than stopping.
    pub(super) fn look_up<T>(&self, read: impl FnOnce(&Database) -> Result<T, Error>) -> Option<T> {
        match self.file.read(read) {
            Ok(found) => Some(found),
            // Opening the file again took space that there is not; it is tried again.
            Err(JournalError::Full { .. }) => None,
            Err(error) => {
                tracing::error!(%error, "the crash log cannot be read");
                self.lock().broken.get_or_insert_with(|| error.to_string());
                None
            }
        }
    }

    pub(super) fn is_degraded(&self) -> bool {
        !self.file.ballast.is_held() || !self.lock().unwritten.is_empty()
    }

    pub(super) fn restore(&self) {
        if !self.lock().unwritten.is_empty() {
            // Nothing new, so that only what is remembered is written.
            drop(self.append(&[]));
        }
        if !self.file.ballast.is_held() && self.file.ballast.restore() {
            tracing::info!(path = %self.file.path().display(), "there is room again; the crash log is whole");
        }
    }

    pub(super) fn broken(&self) -> Option<String> {
        self.lock().broken.clone()
    }
}
