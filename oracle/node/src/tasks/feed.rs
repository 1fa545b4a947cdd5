//! What the watcher hears of jobs in progress, handed on to whoever works on them: one subscription serves all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use provena_client::chain::{Change, Changes};
use solana_pubkey::Pubkey;
use tokio::sync::mpsc;

/// Hints that are kept for one listener; the newest are dropped, and its next look finds what they said.
const QUEUE: usize = 4;

/// The listeners of one subscription.
#[derive(Debug, Default)]
pub(super) struct Feed {
    listeners: Mutex<HashMap<Pubkey, mpsc::Sender<Change>>>,
    fed: AtomicBool,
}

impl Feed {
    fn listeners(&self) -> MutexGuard<'_, HashMap<Pubkey, mpsc::Sender<Change>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody hands changes on.
    pub(super) fn fed(&self, fed: bool) {
        self.fed.store(fed, Ordering::Relaxed);
    }

    /// The changes of one job; `None` where nobody hands any on.
    pub(super) fn listen(&self, job: &Pubkey) -> Option<Changes> {
        if !self.fed.load(Ordering::Relaxed) {
            return None;
        }
        let (sender, hints) = mpsc::channel(QUEUE);
        self.listeners().insert(*job, sender);
        Some(Changes::from_channel(hints))
    }

    /// Nobody works on the job any more.
    pub(super) fn leave(&self, job: &Pubkey) {
        self.listeners().remove(job);
    }

    /// Hands a change on.
    pub(super) fn tell(&self, change: &Change) {
        if let Some(listener) = self.listeners().get(&change.address) {
            // A full queue already says that there is something to look at.
            drop(listener.try_send(change.clone()));
        }
    }
}
