//! Tasks that write into the log at the same time, and the one thread that does it for them.
//!
//! A thread for each would be as many as there are jobs in progress, and each keeps memory of its own. It is none of the
//! runtime's: whatever else blocks those must not decide over a bond.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::queue::Queue;
use super::{Entry, JournalError};

/// One task's entries, and where their outcome goes.
#[derive(Debug)]
struct Request {
    entries: Vec<Entry>,
    outcome: oneshot::Sender<Result<(), JournalError>>,
}

/// Whoever waits.
#[derive(Debug, Default)]
pub(super) struct Together {
    waiting: Mutex<Vec<Request>>,
    /// Held by the task that has everything written.
    turn: tokio::sync::Mutex<()>,
}

impl Together {
    /// Writes the entries, and with them those of everybody who waits.
    pub(super) async fn write(&self, queue: &Arc<Queue>, entries: Vec<Entry>) -> Result<(), JournalError> {
        let (sender, mut outcome) = oneshot::channel();
        self.waiting().push(Request { entries, outcome: sender });
        let turn = self.turn.lock().await;
        // Somebody may have had them written already.
        if let Ok(result) = outcome.try_recv() {
            return result;
        }
        let all = std::mem::take(&mut *self.waiting());
        let together = Arc::clone(queue);
        // The outcomes are sent from the thread: should this task be dropped, nobody else waits for ever.
        let work = move || {
            let outcomes = together.append_each(all.iter().map(|request| request.entries.as_slice()));
            for (Request { outcome, .. }, result) in all.into_iter().zip(outcomes) {
                // One that waits no longer needs nothing.
                drop(outcome.send(result));
            }
        };
        let begun = std::thread::Builder::new().name("crash log".to_owned()).spawn(work);
        // Where there is no thread, or it panics, nobody is told anything: what the log says is not known then.
        let result = outcome.await.unwrap_or_else(|_| Err(queue.abandoned()));
        drop((begun, turn));
        result
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Request>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
