//! Questions that wait while a request is under way go together into the next one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::chain::ChainError;

/// One asker's keys, which are answered by one and the same request, and where the answer goes.
struct Question<K, V> {
    keys: Vec<K>,
    answer: oneshot::Sender<Vec<V>>,
}

/// Questions of one kind.
pub(super) struct Batch<K, V> {
    waiting: Mutex<Vec<Question<K, V>>>,
    /// Held by whoever asks the server for all that wait.
    turn: tokio::sync::Mutex<()>,
    /// Keys in one request, at most.
    most: usize,
}

impl<K: Copy + Eq + Hash, V: Clone> Batch<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::new(()), most }
    }

    /// Asks for `keys`, at most as many as one request holds, and returns their values in order. Whoever comes first asks
    /// for all who came meanwhile; when he fails or is dropped, each of the others asks again.
    pub(super) async fn ask<F: Future<Output = Result<Vec<V>, ChainError>>>(
        &self,
        keys: &[K],
        fetch: impl Fn(Vec<K>) -> F,
    ) -> Result<Vec<V>, ChainError> {
        loop {
            let (answer, mut answered) = oneshot::channel();
            self.waiting().push(Question { keys: keys.to_vec(), answer });
            let turn = self.turn.lock().await;
            match answered.try_recv() {
                Ok(values) => return Ok(values),
                // Whoever asked for us failed or was dropped.
                Err(oneshot::error::TryRecvError::Closed) => continue,
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            // Ours may not be in the first request, but then in one of the next.
            loop {
                let some = self.take();
                let all = distinct(&some);
                let values: HashMap<K, V> = all.iter().copied().zip(fetch(all.clone()).await?).collect();
                for Question { keys, answer } in some {
                    let own: Option<Vec<V>> = keys.iter().map(|key| values.get(key).cloned()).collect();
                    let own = own.ok_or_else(|| ChainError::Rpc {
                        url: String::new(),
                        reason: "it answered fewer values than were asked for".to_owned(),
                    })?;
                    // One that waits no longer needs nothing.
                    drop(answer.send(own));
                }
                if let Ok(values) = answered.try_recv() {
                    drop(turn);
                    return Ok(values);
                }
            }
        }
    }

    /// The first questions that wait, as many as one request holds.
    fn take(&self) -> Vec<Question<K, V>> {
        let mut waiting = self.waiting();
        // Whoever was dropped meanwhile is not asked for.
        waiting.retain(|question| !question.answer.is_closed());
        let mut all = std::collections::HashSet::new();
        let fits = |question: &Question<K, V>| {
            all.extend(question.keys.iter().copied());
            all.len() <= self.most
        };
        let count = waiting.iter().map(fits).take_while(|fits| *fits).count().max(1).min(waiting.len());
        waiting.drain(..count).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Question<K, V>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn distinct<K: Copy + Eq + Hash, V>(questions: &[Question<K, V>]) -> Vec<K> {
    let mut seen = std::collections::HashSet::new();
    questions.iter().flat_map(|question| question.keys.iter().copied()).filter(|key| seen.insert(*key)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Doubles numbers, slowly, and counts how often it was asked.
    async fn doubled(asked: &AtomicUsize, keys: Vec<u64>) -> Result<Vec<u64>, ChainError> {
        asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(keys.iter().map(|key| key * 2).collect())
    }

    #[tokio::test]
    async fn questions_that_come_while_one_is_asked_go_together() {
        let (batch, asked) = (Arc::new(Batch::new(100)), Arc::new(AtomicUsize::new(0)));
        let ask = |keys: Vec<u64>| {
            let (batch, asked) = (batch.clone(), asked.clone());
            tokio::spawn(async move { batch.ask(&keys, |all| doubled(&asked, all)).await.unwrap() })
        };
        let all: Vec<_> = (0..50).map(|key| ask(vec![key, 7])).collect();
        for (key, answer) in (0..).zip(all) {
            assert_eq!(answer.await.unwrap(), [key * 2, 14]);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2, "the first alone, then all the others");
        assert!(batch.waiting().is_empty());
    }

    #[tokio::test]
    async fn a_question_is_never_split() {
        let batch = Arc::new(Batch::new(4));
        let ask = |keys: Vec<u64>| {
            let batch = batch.clone();
            tokio::spawn(async move {
                let fetch = |all: Vec<u64>| async {
                    assert!(all.len() <= 4);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    Ok(all)
                };
                batch.ask(&keys, fetch).await.unwrap()
            })
        };
        let all: Vec<_> = (0..20).map(|first| (first, ask(vec![first, first + 1, first + 2]))).collect();
        for (first, answer) in all {
            assert_eq!(answer.await.unwrap(), [first, first + 1, first + 2]);
        }
    }

    #[tokio::test]
    async fn whoever_asks_for_others_may_fail_or_be_dropped() {
        let (batch, asked) = (Arc::new(Batch::new(100)), Arc::new(AtomicUsize::new(0)));
        let ask = |key: u64, fails: bool| {
            let (batch, asked) = (batch.clone(), asked.clone());
            tokio::spawn(async move {
                let asked = &asked;
                let fetch = |all| async move {
                    if fails {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        return Err(ChainError::Build("it fails".to_owned()));
                    }
                    doubled(asked, all).await
                };
                batch.ask(&[key], fetch).await
            })
        };
        let failing = ask(1, true);
        tokio::task::yield_now().await;
        let others: Vec<_> = (2..10).map(|key| ask(key, false)).collect();
        assert!(failing.await.unwrap().is_err());
        for (key, other) in (2..).zip(others) {
            assert_eq!(other.await.unwrap().unwrap(), [key * 2]);
        }
        let dropped = ask(1, true);
        tokio::task::yield_now().await;
        let other = ask(2, false);
        tokio::task::yield_now().await;
        dropped.abort();
        assert_eq!(other.await.unwrap().unwrap(), [4]);
    }
}
