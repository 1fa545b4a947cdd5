//! One node per key: two processes that act with one key would sign two different receipts for one job.
//!
//! On one machine a lock named after key and chain refuses the second process. Across machines the chain does: each seat says
//! which data folder takes it, and for 150 slots the market gives this node's seats to no other ([`Node::lease`]). A copy of a
//! data folder is not another one to the chain, so the node also asks the address that the chain names for it who answers
//! there: when that is a node with the same key and another process, it takes no more jobs and says so.
//!
//! [`Node::lease`]: provena_market::state::Node::lease

mod lock;

use std::path::PathBuf;
use std::time::Duration;

use provena_client::reach::{Reach, causes};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

pub use lock::{KeyLock, LockPlaces};

/// Longest wait for an answer of the registered address.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest answer that is read.
const MOST_BYTES: usize = 256 << 10;

/// Why a second process does not start.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// A process of this machine acts with the key.
    #[error(
        "another process on this machine runs the node {node} (it holds {}); stop it: one key must not sign in two places", path.display()
    )]
    SameMachine {
        /// The node's authority.
        node: Pubkey,
        /// The lock.
        path: PathBuf,
    },
    /// A node elsewhere acts with the key.
    #[error("another instance of the node {node} answers at {endpoint}; stop it: one key must not sign in two places")]
    Elsewhere {
        /// The node's authority.
        node: Pubkey,
        /// The address that the chain names.
        endpoint: String,
    },
    /// No place for a lock is this user's alone.
    #[error(
        "no lock for the key can be held ({}: {reason}); set HOME or XDG_RUNTIME_DIR to a folder that only this user can write", path.display()
    )]
    Lock {
        /// Where it was tried last.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
}

/// A name for this process that no other has.
#[must_use]
pub fn new_id() -> String {
    hex::encode(&Keypair::new().pubkey().as_array()[..16])
}

/// A number for a data folder that no other has, and that is not zero.
#[must_use]
pub fn new_number() -> u64 {
    let random = Keypair::new().pubkey();
    let number = random.as_array().first_chunk().map_or(1, |bytes| u64::from_le_bytes(*bytes));
    number.max(1)
}

/// Who answers at an address, as its `/health` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Answering {
    /// The node's authority, base58.
    pub node: String,
    /// The process.
    #[serde(default)]
    pub instance: String,
}

/// Asks who answers at an address.
///
/// # Errors
/// In words: nobody, or something else than a node.
pub async fn who_answers(endpoint: &str) -> Result<Answering, String> {
    // It is this node's own word, or one of its operator's.
    health(endpoint, Reach::Private).await
}

/// What the node at an address says of its health, as far as `T` wants to know it and the address may lead.
///
/// # Errors
/// As for [`who_answers`].
pub async fn health<T: DeserializeOwned>(endpoint: &str, reach: Reach) -> Result<T, String> {
    let client = reach.client(endpoint)?;
    let url = format!("{}/health", endpoint.trim_end_matches('/'));
    let mut answer = client.get(url).timeout(TIMEOUT).send().await.map_err(silent)?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(silent)? {
        body.extend_from_slice(&piece);
        if body.len() > MOST_BYTES {
            return Err("its answer is too long for a node's".to_owned());
        }
    }
    serde_json::from_slice(&body).map_err(|_| "something else than a node answers".to_owned())
}

/// Why nothing was heard from an address, which stands beside it.
fn silent(error: reqwest::Error) -> String {
    causes(&error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_where_nothing_is_said_is_named_as_by_everybody_else() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = format!("http://{}", taken.local_addr().unwrap());
        assert_eq!(who_answers(&silent).await, Err("it does not answer in time".to_owned()));
        drop(taken);
        assert_eq!(who_answers(&silent).await, Err("nothing answers there".to_owned()));
    }
}
