//! A write that goes on, and what becomes of whoever waits for it where it dies.

use super::{Failure, Queue, State};

/// Says that a write goes on. Where it is dropped before [`Writing::ended`], as by a panic of the database, nobody knows what is
/// in the file: the log is broken, and whoever waits learns it.
pub(super) struct Writing<'a> {
    queue: &'a Queue,
    /// The first append whose outcome is not known.
    first: u64,
    ended: bool,
}

impl<'a> Writing<'a> {
    /// The write of everything from the append `first` on.
    pub(super) fn begin(queue: &'a Queue, state: &mut State, first: u64) -> Self {
        state.writing = true;
        Self { queue, first, ended: false }
    }

    /// It has ended in good order, whatever came of it.
    pub(super) fn ended(mut self, state: &mut State) {
        state.writing = false;
        self.ended = true;
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut state = self.queue.lock();
        state.writing = false;
        state.break_down(self.first, "the thread that wrote it died".to_owned());
        state.ahead.clear();
        tracing::error!(path = %self.queue.file.path().display(), "the crash log's writer died; nothing is written any more");
        self.queue.written.notify_all();
    }
}

impl State {
    /// Nothing is written any more. Every append from `first` on has failed: those that came meanwhile were checked against
    /// entries that are not there.
    pub(super) fn break_down(&mut self, first: u64, reason: String) {
        let failure = Failure::Broken(reason.clone());
        self.broken = Some(reason);
        self.done = self.last;
        self.failed.extend((first..=self.last).map(|number| (number, failure.clone())));
        self.queued.clear();
    }
}
