//! One node per key: two processes that act with one key would sign two different receipts for one job.
//!
//! On one machine a lock named after key and chain refuses the second process. Across machines nothing can be locked, so the
//! node asks the address that the chain names for it who answers there: when that is a node with the same key and another
//! instance, it takes no more jobs and says so.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

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
    /// The lock cannot be made.
    #[error("the lock {} cannot be taken ({reason}); make its folder writable for this user", path.display())]
    Lock {
        /// The lock.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
}

/// The locks of this process; they end with it, whatever ends it.
#[derive(Debug)]
pub struct KeyLock {
    _files: Vec<File>,
}

impl KeyLock {
    /// Takes the locks of a node on a chain: in the user's runtime folder, and in the folder for temporary files, which
    /// processes of other sessions see as well.
    ///
    /// # Errors
    /// [`InstanceError::SameMachine`], [`InstanceError::Lock`].
    pub fn take(node: &Pubkey, cluster: &[u8; 32]) -> Result<Self, InstanceError> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let runtime = runtime.filter(|folder| folder.is_dir());
        let folders: Vec<PathBuf> = runtime.into_iter().chain([std::env::temp_dir()]).collect();
        Self::take_in(&folders, node, cluster)
    }

    /// As [`KeyLock::take`], in these folders.
    ///
    /// # Errors
    /// As for [`KeyLock::take`].
    pub fn take_in(folders: &[PathBuf], node: &Pubkey, cluster: &[u8; 32]) -> Result<Self, InstanceError> {
        let lock = |folder: &PathBuf| lock(folder, node, cluster);
        Ok(Self { _files: folders.iter().map(lock).collect::<Result<_, _>>()? })
    }
}

fn lock(folder: &Path, node: &Pubkey, cluster: &[u8; 32]) -> Result<File, InstanceError> {
    let path = folder.join(format!("provena-node-{node}-{}.lock", hex::encode(&cluster[..4])));
    let failed = |error: io::Error| InstanceError::Lock { path: path.clone(), reason: error.to_string() };
    let file = open(&path).map_err(failed)?;
    // A process that is just ending holds it for a moment longer.
    for attempt in 0.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempt < 20 => std::thread::sleep(Duration::from_millis(50)),
            Err(TryLockError::WouldBlock) => return Err(InstanceError::SameMachine { node: *node, path }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    Ok(file)
}

/// Another user's file can be locked, and must not be written; a link in a folder that all may write leads nowhere.
fn open(path: &Path) -> io::Result<File> {
    let mut existing = OpenOptions::new();
    let mut fresh = OpenOptions::new();
    existing.read(true);
    fresh.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        existing.custom_flags(flags);
        fresh.custom_flags(flags).mode(0o644);
    }
    match existing.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fresh.open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => existing.open(path),
            opened => opened,
        },
        opened => opened,
    }
}

/// A name for this process that no other has.
#[must_use]
pub fn new_id() -> String {
    hex::encode(&Keypair::new().pubkey().as_array()[..16])
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
    health(endpoint).await
}

/// What the node at an address says of its health, as far as `T` wants to know it.
///
/// # Errors
/// As for [`who_answers`].
pub async fn health<T: DeserializeOwned>(endpoint: &str) -> Result<T, String> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| error.to_string())?;
    let url = format!("{}/health", endpoint.trim_end_matches('/'));
    let mut answer = client.get(url).send().await.map_err(|error| error.without_url().to_string())?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| error.without_url().to_string())? {
        body.extend_from_slice(&piece);
        if body.len() > MOST_BYTES {
            return Err("its answer is too long for a node's".to_owned());
        }
    }
    serde_json::from_slice(&body).map_err(|_| "something else than a node answers".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n18_a_second_process_with_the_same_key_on_the_same_chain_is_refused() {
        let folder = std::env::temp_dir().join(format!("provena-lock-{}", new_id()));
        std::fs::create_dir_all(&folder).unwrap();
        let folders = [folder.clone()];
        let node = Pubkey::new_from_array([1; 32]);
        let first = KeyLock::take_in(&folders, &node, &[7; 32]).unwrap();
        let error = KeyLock::take_in(&folders, &node, &[7; 32]).unwrap_err();
        assert!(matches!(error, InstanceError::SameMachine { .. }), "{error}");
        // The same key on another chain, or another key, does no harm.
        KeyLock::take_in(&folders, &node, &[8; 32]).unwrap();
        KeyLock::take_in(&folders, &Pubkey::new_from_array([2; 32]), &[7; 32]).unwrap();
        drop(first);
        KeyLock::take_in(&folders, &node, &[7; 32]).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
