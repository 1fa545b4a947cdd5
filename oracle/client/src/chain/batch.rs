//! Questions that wait while a request is under way go together into the next one.
//!
//! Who is asked for together fails together: a server that hangs costs all of them one wait and not one each. And whoever asks
//! for himself and others holds up the next request only for a moment, whatever becomes of his.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::ChainError;

/// A request that has no answer after so long does not hold up the next one any more.
const OVERTAKEN_AFTER: Duration = Duration::from_secs(1);

/// What one asker waits for.
type Answer<V> = Result<Vec<V>, ChainError>;

/// One asker's keys, which are answered by one and the same request, and where the answer goes.
#[derive(Debug)]
struct Question<K, V> {
    number: u64,
    keys: Vec<K>,
    answer: oneshot::Sender<Answer<V>>,
}

/// Questions that are not asked yet, in order.
#[derive(Debug)]
struct Waiting<K, V> {
    questions: Vec<Question<K, V>>,
    /// How many there ever were.
    count: u64,
}

/// Questions of one kind.
#[derive(Debug)]
pub(super) struct Batch<K, V> {
    waiting: Mutex<Waiting<K, V>>,
    /// Held by whoever asks the server for all that wait.
    turn: tokio::sync::Mutex<()>,
    /// Keys in one request, at most.
    most: usize,
}

impl<K: Copy + Eq + Hash, V: Clone> Batch<K, V> {
    pub(super) fn new(most: usize) -> Self {
        let waiting = Mutex::new(Waiting { questions: Vec::new(), count: 0 });
        Self { waiting, turn: tokio::sync::Mutex::new(()), most }
    }

    /// Asks for `keys`, at most as many as one request holds, and returns their values in order. Whoever comes first asks
    /// for all who came meanwhile; when he is dropped, each of the others asks again.
    ///
    /// # Errors
    /// The request's, for all that it asked for.
    pub(super) async fn ask<F: Future<Output = Answer<V>>>(
        &self,
        keys: &[K],
        fetch: impl Fn(Vec<K>) -> F,
    ) -> Answer<V> {
        loop {
            let (number, mut answered) = self.wait_with(keys);
            loop {
                let turn = tokio::select! {
                    biased;
                    answer = &mut answered => match answer {
                        Ok(answer) => return answer,
                        // Whoever asked for us was dropped.
                        Err(_) => break,
                    },
                    turn = self.turn.lock() => turn,
                };
                let Some(some) = self.take(number) else {
                    // Somebody asks for us already.
                    drop(turn);
                    match answered.await {
                        Ok(answer) => return answer,
                        Err(_) => break,
                    }
                };
                let all = distinct(&some);
                let mut request = pin!(fetch(all.clone()));
                let fetched = match tokio::time::timeout(OVERTAKEN_AFTER, &mut request).await {
                    Ok(fetched) => fetched,
                    Err(_) => {
                        drop(turn);
                        request.await
                    }
                };
                tell(some, &all, fetched);
                // Ours may not have been in this request, but then it is in one of the next.
            }
        }
    }

    /// Puts a question behind all others.
    fn wait_with(&self, keys: &[K]) -> (u64, oneshot::Receiver<Answer<V>>) {
        let (answer, answered) = oneshot::channel();
        let mut waiting = self.waiting();
        let number = waiting.count;
        waiting.count = number.wrapping_add(1);
        waiting.questions.push(Question { number, keys: keys.to_vec(), answer });
        (number, answered)
    }

    /// The first questions that wait, as many as one request holds; `None` when `number` is not among those that wait.
    fn take(&self, number: u64) -> Option<Vec<Question<K, V>>> {
        let questions = &mut self.waiting().questions;
        if !questions.iter().any(|question| question.number == number) {
            return None;
        }
        // Whoever was dropped meanwhile is not asked for.
        questions.retain(|question| !question.answer.is_closed());
        let mut all = std::collections::HashSet::new();
        let fits = |question: &Question<K, V>| {
            all.extend(question.keys.iter().copied());
            all.len() <= self.most
        };
        let count = questions.iter().map(fits).take_while(|fits| *fits).count().max(1).min(questions.len());
        Some(questions.drain(..count).collect())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<K, V>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells everybody what became of the request that asked for him.
fn tell<K: Copy + Eq + Hash, V: Clone>(some: Vec<Question<K, V>>, all: &[K], fetched: Answer<V>) {
    let values = fetched.map(|values| all.iter().copied().zip(values).collect::<HashMap<K, V>>());
    for Question { keys, answer, .. } in some {
        let own = values.as_ref().map_err(ChainError::clone).and_then(|values| {
            let own: Option<Vec<V>> = keys.iter().map(|key| values.get(key).cloned()).collect();
            own.ok_or_else(|| ChainError::Rpc {
                url: String::new(),
                reason: "it answered fewer values than were asked for".to_owned(),
            })
        });
        // One that waits no longer needs nothing.
        drop(answer.send(own));
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
        assert!(batch.waiting().questions.is_empty());
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
    async fn whoever_is_not_asked_for_yet_is_asked_for_when_others_fail_or_are_dropped() {
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

    #[tokio::test]
    async fn who_is_asked_for_together_fails_together() {
        let (batch, asked) = (Arc::new(Batch::<u64, u64>::new(100)), Arc::new(AtomicUsize::new(0)));
        let ask = |key: u64| {
            let (batch, asked) = (batch.clone(), asked.clone());
            tokio::spawn(async move {
                let fetch = |_| async {
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err(ChainError::Build("it fails".to_owned()))
                };
                batch.ask(&[key], fetch).await
            })
        };
        let all: Vec<_> = (0..50).map(ask).collect();
        for answer in all {
            assert!(matches!(answer.await.unwrap(), Err(ChainError::Build(_))));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2, "the first alone, then all the others");
    }

    #[tokio::test]
    async fn a_request_that_hangs_holds_up_no_later_one() {
        let batch = Arc::new(Batch::<u64, u64>::new(2));
        let ask = |keys: Vec<u64>| {
            let batch = batch.clone();
            tokio::spawn(async move {
                let fetch = |all: Vec<u64>| async move {
                    if all.contains(&1) {
                        std::future::pending::<()>().await;
                    }
                    Ok(all)
                };
                batch.ask(&keys, fetch).await.unwrap()
            })
        };
        let hanging = ask(vec![1, 2]);
        tokio::task::yield_now().await;
        let others: Vec<_> = (3..9).map(|key| (key, ask(vec![key]))).collect();
        for (key, other) in others {
            assert_eq!(other.await.unwrap(), [key]);
        }
        assert!(!hanging.is_finished());
        hanging.abort();
    }
}
