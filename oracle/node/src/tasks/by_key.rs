//! Tasks, each for something that has one at most. One that dies takes nothing of the others with it.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use tokio::task::{Id, JoinError, JoinSet};

/// Running tasks by what they are for.
pub(super) struct TasksByKey<K, T> {
    running: JoinSet<T>,
    of: HashMap<Id, K>,
    keys: HashSet<K>,
}

impl<K: Copy + Eq + Hash, T: Send + 'static> TasksByKey<K, T> {
    pub(super) fn new() -> Self {
        Self { running: JoinSet::new(), of: HashMap::new(), keys: HashSet::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.keys.contains(key)
    }

    /// Starts a task, unless there is one for the same; says whether it did.
    pub(super) fn spawn(&mut self, key: K, task: impl Future<Output = T> + Send + 'static) -> bool {
        let fresh = self.keys.insert(key);
        if fresh {
            self.of.insert(self.running.spawn(task).id(), key);
        }
        fresh
    }

    /// A task that has ended or died, if there is one now.
    pub(super) fn try_next(&mut self) -> Option<(K, Result<T, JoinError>)> {
        let ended = self.running.try_join_next_with_id()?;
        self.ended(ended)
    }

    /// Waits for the next task that ends or dies; `None` when none is left.
    pub(super) async fn next(&mut self) -> Option<(K, Result<T, JoinError>)> {
        let ended = self.running.join_next_with_id().await?;
        self.ended(ended)
    }

    fn ended(&mut self, ended: Result<(Id, T), JoinError>) -> Option<(K, Result<T, JoinError>)> {
        let (id, done) = match ended {
            Ok((id, done)) => (id, Ok(done)),
            Err(error) => (error.id(), Err(error)),
        };
        // Every task is in the map from when it is started.
        let key = self.of.remove(&id)?;
        self.keys.remove(&key);
        Some((key, done))
    }
}
