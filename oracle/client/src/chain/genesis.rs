//! Whether the chain behind the URL is still the one that was met first.
//!
//! A provider changes, a name resolves to another server, a test chain is started anew: the URL stays and the chain is another
//! one. What was agreed on the first must not be done on the second. The genesis hash is therefore compared again and again:
//! after every failure of the connection, whenever the slot jumps, every [`READ_EVERY`] while it is only read, and at most
//! [`ACT_EVERY`] before anything is sent or a transaction's fate is judged.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use solana_pubkey::Pubkey;

use super::batch::Batch;
use super::connection::Connection;
use super::{ChainError, RpcChain};

/// The longest time for which a comparison serves reads.
const READ_EVERY: Duration = Duration::from_secs(30);

/// The longest time for which a comparison serves what cannot be undone.
const ACT_EVERY: Duration = Duration::from_secs(1);

/// What a comparison is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Care {
    /// For reading.
    Read,
    /// For sending a transaction, or judging one that was sent.
    Act,
}

/// The chain that was met first, and what was seen since.
#[derive(Debug, Default)]
pub(super) struct Genesis {
    expected: OnceLock<[u8; 32]>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    compared: Option<Instant>,
    suspect: bool,
    wrong: Option<[u8; 32]>,
}

impl Genesis {
    /// Says that the next request must compare first.
    pub(super) fn suspect(&self) {
        self.lock().suspect = true;
    }

    /// The hash that every answer must come from, once it is known.
    pub(super) fn expected(&self) -> Option<[u8; 32]> {
        self.expected.get().copied()
    }

    fn is_due(&self, care: Care, now: Instant) -> bool {
        if self.expected.get().is_none() {
            return care == Care::Act;
        }
        let limit = match care {
            Care::Read => READ_EVERY,
            Care::Act => ACT_EVERY,
        };
        let state = self.lock();
        let recent = state.compared.is_some_and(|compared| now.saturating_duration_since(compared) < limit);
        state.suspect || state.wrong.is_some() || !recent
    }

    /// Compares; the other chain's hash when it is another one. Says as well whether this ends a time on another chain.
    fn compare(&self, found: [u8; 32], now: Instant) -> Result<bool, [u8; 32]> {
        let expected = *self.expected.get_or_init(|| found);
        let mut state = self.lock();
        state.compared = Some(now);
        state.suspect = false;
        let before = state.wrong.take();
        if found == expected {
            return Ok(before.is_some());
        }
        state.wrong = Some(found);
        Err(found)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RpcChain {
    /// Makes sure that the chain is still the one that was met first, as far as `care` asks for it.
    pub(super) async fn same_chain(&self, care: Care) -> Result<(), ChainError> {
        if !self.connection.genesis.is_due(care, Instant::now()) {
            return Ok(());
        }
        self.comparing.ask(&[care]).await.map(drop)
    }
}

impl Connection {
    /// Comparisons, which are made once for all who need one at the same time.
    pub(super) fn comparing(connection: &Arc<Self>) -> Batch<Care, ()> {
        let connection = Arc::clone(connection);
        Batch::new(2, move |all: Vec<Care>| {
            let connection = Arc::clone(&connection);
            async move {
                let most = all.iter().copied().max().unwrap_or(Care::Act);
                connection.compare_unless_done(most).await.map(|()| vec![(); all.len()])
            }
        })
    }

    /// Compares, unless somebody else has done it since it became due.
    async fn compare_unless_done(&self, care: Care) -> Result<(), ChainError> {
        if !self.genesis.is_due(care, Instant::now()) {
            return Ok(());
        }
        let found = self.note(self.client.get_genesis_hash().await)?.to_bytes();
        match self.genesis.compare(found, Instant::now()) {
            Ok(returned) => {
                if returned {
                    tracing::info!(genesis = %Pubkey::from(found), "the RPC server answers for the right chain again");
                    self.health.back_on_chain();
                }
                Ok(())
            }
            Err(found) => {
                let expected = Pubkey::from(self.genesis.expected().unwrap_or_default());
                let (url, found) = (self.client.url(), Pubkey::from(found));
                if self.health.on_another_chain(&found.to_string()) {
                    tracing::error!(url, %expected, %found, "the RPC server answers for another chain; nothing is sent to it");
                }
                Err(ChainError::WrongChain { url, expected, found })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [u8; 32] = [1; 32];
    const OTHER: [u8; 32] = [2; 32];

    #[test]
    fn a_comparison_is_due_after_a_doubt_and_after_a_while_and_sooner_where_something_is_at_stake() {
        let genesis = Genesis::default();
        let now = Instant::now();
        assert!(!genesis.is_due(Care::Read, now), "nothing is known that could be compared");
        assert!(genesis.is_due(Care::Act, now));
        assert_eq!(genesis.compare(OURS, now), Ok(false));
        assert!(!genesis.is_due(Care::Act, now) && !genesis.is_due(Care::Read, now));
        assert!(genesis.is_due(Care::Act, now + ACT_EVERY) && !genesis.is_due(Care::Read, now + ACT_EVERY));
        assert!(genesis.is_due(Care::Read, now + READ_EVERY));
        genesis.suspect();
        assert!(genesis.is_due(Care::Read, now));
        assert_eq!(genesis.compare(OURS, now), Ok(false));
        assert!(!genesis.is_due(Care::Read, now));
    }

    #[test]
    fn on_another_chain_every_request_compares_until_the_first_is_back() {
        let genesis = Genesis::default();
        let now = Instant::now();
        assert_eq!(genesis.compare(OURS, now), Ok(false));
        assert_eq!(genesis.compare(OTHER, now), Err(OTHER));
        assert!(genesis.is_due(Care::Read, now) && genesis.is_due(Care::Act, now));
        assert_eq!(genesis.expected(), Some(OURS));
        assert_eq!(genesis.compare(OURS, now), Ok(true));
        assert!(!genesis.is_due(Care::Act, now));
    }
}
