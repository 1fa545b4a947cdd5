//! Questions that wait while a request is under way go together into the next one.
//!
//! Who is asked for together fails together: a server that hangs costs all of them one wait and not one each. A request belongs
//! to nobody who asked: whoever came first may be gone before it is answered, and it changes nothing for the others.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::task::JoinSet;

use super::ChainError;

/// A request that has no answer after so long does not hold up the next one any more.
const OVERTAKEN_AFTER: Duration = Duration::from_secs(1);

/// What one asker waits for.
pub(super) type Answer<V> = Result<Vec<V>, ChainError>;

/// Asks the server for the values of keys, in their order.
type Fetch<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Answer<V>> + Send + Sync;

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
pub(super) struct Batch<K, V> {
    waiting: Mutex<Waiting<K, V>>,
    /// Held by the request that is under way.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Keys in one request, at most.
    most: usize,
    fetch: Box<Fetch<K, V>>,
    /// Requests that are under way; they end with this.
    requests: Mutex<JoinSet<()>>,
}

impl<K, V> Batch<K, V>
where
    K: Copy + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Questions that `fetch` asks, at most so many keys in one request.
    pub(super) fn new<F>(most: usize, fetch: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer<V>> + Send + 'static,
    {
        let waiting = Mutex::new(Waiting { questions: Vec::new(), count: 0 });
        let fetch = Box::new(move |keys| -> BoxFuture<'static, Answer<V>> { Box::pin(fetch(keys)) });
        Self { waiting, turn: Arc::default(), most, fetch, requests: Mutex::default() }
    }

    /// Asks for `keys`, at most as many as one request holds, and returns their values in order. Whoever comes first has a
    /// request sent for all who came meanwhile.
    ///
    /// # Errors
    /// The request's, for all that it asked for.
    pub(super) async fn ask(&self, keys: &[K]) -> Answer<V> {
        let (number, mut answered) = self.wait_with(keys);
        loop {
            let turn = tokio::select! {
                biased;
                answer = &mut answered => return told(answer),
                turn = Arc::clone(&self.turn).lock_owned() => turn,
            };
            match self.take(number) {
                // Ours may not be in this request, but then it is in one of the next.
                Some(some) => self.request(some, turn),
                // It is under way already.
                None => {
                    drop(turn);
                    return told(answered.await);
                }
            }
        }
    }

    /// Has some questions asked, whoever still waits for their answers.
    fn request(&self, some: Vec<Question<K, V>>, turn: OwnedMutexGuard<()>) {
        let all = distinct(&some);
        let mut request = (self.fetch)(all.clone());
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        while requests.try_join_next().is_some() {}
        requests.spawn(async move {
            let fetched = match tokio::time::timeout(OVERTAKEN_AFTER, &mut request).await {
                Ok(fetched) => fetched,
                Err(_) => {
                    drop(turn);
                    request.await
                }
            };
            tell(some, &all, fetched);
        });
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

/// What somebody was told; nothing where the request died.
fn told<V>(answer: Result<Answer<V>, oneshot::error::RecvError>) -> Answer<V> {
    let died = || ChainError::Rpc { url: String::new(), reason: "the request died before it was answered".to_owned() };
    answer.unwrap_or_else(|_| Err(died()))
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
mod tests;
