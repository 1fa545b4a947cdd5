//! What the chain said a moment ago, so that it need not be asked again for each of many questions.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use provena_client::chain::ChainError;
use solana_pubkey::Pubkey;
use tokio::sync::Semaphore;

use super::refused::Refused;

/// Addresses of which something is remembered.
const MOST: usize = 4_096;

/// Longest wait for a turn to ask the chain.
const PATIENCE: Duration = Duration::from_secs(5);

/// Questions to the chain for strangers, a few at a time.
#[derive(Debug)]
pub(super) struct Questions(Semaphore);

impl Questions {
    pub(super) fn new(at_once: usize) -> Self {
        Self(Semaphore::new(at_once))
    }

    /// Asks when it is its turn.
    pub(super) async fn ask<T>(&self, question: impl Future<Output = Result<T, ChainError>>) -> Result<T, Refused> {
        let place = tokio::time::timeout(PATIENCE, self.0.acquire()).await;
        let _place = place.map_err(|_| Refused::busy(1, "too much is asked at this moment"))?.map_err(|_| cut_off())?;
        question.await.map_err(|error| {
            tracing::debug!(%error, "the chain cannot be asked for a stranger");
            cut_off()
        })
    }
}

/// The node does not know its chain at this moment.
pub(super) fn cut_off() -> Refused {
    Refused::busy(5, "this node does not reach its chain")
}

/// Answers of the chain, each for a while.
#[derive(Debug)]
pub(super) struct Known<T>(Mutex<HashMap<Pubkey, (T, Instant)>>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Known<T> {
    /// What is known of `of`, unless that was too long ago.
    pub(super) fn get(&self, of: &Pubkey) -> Option<T> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(of).filter(|(_, until)| Instant::now() < *until).map(|(answer, _)| answer.clone())
    }

    /// Remembers an answer for so long.
    pub(super) fn insert(&self, of: Pubkey, answer: T, lasting: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if known.len() >= MOST {
            known.retain(|_, (_, until)| now < *until);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(of, (answer, now + lasting));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_bounded_and_does_not_last() {
        let known = Known::default();
        let address = |number: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_le_bytes());
            Pubkey::from(bytes)
        };
        known.insert(address(0), 7, Duration::from_secs(60));
        known.insert(address(1), 8, Duration::ZERO);
        assert_eq!((known.get(&address(0)), known.get(&address(1)), known.get(&address(2))), (Some(7), None, None));
        // What does not hold any more makes room before what does.
        for number in 1..20_000 {
            known.insert(address(number), 8, Duration::ZERO);
        }
        assert_eq!(known.get(&address(0)), Some(7));
        for number in 1..20_000 {
            known.insert(address(number), 8, Duration::from_secs(60));
        }
        assert!(known.0.lock().unwrap().len() <= MOST);
    }
}
