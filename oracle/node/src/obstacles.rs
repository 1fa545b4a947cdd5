//! What keeps the node from taking jobs: a full disk, a chain that is another one, a second node with its key.
//!
//! Whoever finds an obstacle sets it and clears it again; admission asks, and `/health` shows them all.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The obstacles of the moment, by name.
#[derive(Debug, Default)]
pub struct Obstacles {
    inner: Mutex<BTreeMap<&'static str, String>>,
}

impl Obstacles {
    fn inner(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something keeps the node from taking jobs. `name` is for programs, `reason` for people.
    pub fn set(&self, name: &'static str, reason: impl Into<String>) {
        let reason = reason.into();
        if self.inner().insert(name, reason.clone()).is_none() {
            tracing::warn!(obstacle = name, reason, "no more jobs are taken");
        }
    }

    /// It does so no more.
    pub fn clear(&self, name: &'static str) {
        if self.inner().remove(name).is_some() {
            tracing::info!(obstacle = name, "over; jobs are taken again");
        }
    }

    /// Sets or clears it.
    pub fn update(&self, name: &'static str, reason: Option<String>) {
        match reason {
            Some(reason) => self.set(name, reason),
            None => self.clear(name),
        }
    }

    /// The reason of one of them.
    #[must_use]
    pub fn first(&self) -> Option<String> {
        self.inner().values().next().cloned()
    }

    /// All of them, with their reasons.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, String)> {
        self.inner().iter().map(|(name, reason)| (*name, reason.clone())).collect()
    }
}
