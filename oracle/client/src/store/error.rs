//! Why a blob could not be read or written.

use super::Root;

/// A failure of a store. Every message names the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL cannot be used.
    #[error("{url:?} cannot be a store: {reason}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong, and what to write instead.
        reason: String,
    },
    /// The folder cannot be used.
    #[error("the folder {path} cannot be used as a store ({reason}); create it and make it writable")]
    Folder {
        /// Which folder.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// Empty content has no root.
    #[error("empty content cannot be stored")]
    Empty,
    /// Larger than allowed.
    #[error("the blob has {len} bytes or more, the limit is {limit}")]
    TooLarge {
        /// Bytes seen or announced.
        len: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The store has no such blob.
    #[error("{url} does not have it")]
    NotFound {
        /// Which store.
        url: String,
    },
    /// The store sent something else: a lie, a fault of its disk, or a broken transfer.
    #[error("{url} sent {len} bytes whose content root is {}, not {}", hex::encode(found), hex::encode(expected))]
    Mismatch {
        /// Which store.
        url: String,
        /// What was asked for.
        expected: Root,
        /// What came.
        found: Root,
        /// How much came.
        len: u64,
    },
    /// The store failed.
    #[error("{url} failed: {reason}")]
    Failed {
        /// Which store.
        url: String,
        /// Its words.
        reason: String,
    },
    /// No store could do it.
    #[error("the blob {} could not {action}: {}", hex::encode(root), list(failures))]
    Everywhere {
        /// "be read" or "be stored".
        action: &'static str,
        /// Which blob.
        root: Root,
        /// Each store's reason, in order.
        failures: Vec<Self>,
    },
}

fn list(failures: &[StoreError]) -> String {
    let reasons: Vec<_> = failures.iter().map(ToString::to_string).collect();
    reasons.join("; ")
}

impl StoreError {
    /// The failure of the one place that was asked, without that it was the only one.
    #[must_use]
    pub fn of_one(self) -> Self {
        match self {
            Self::Everywhere { mut failures, .. } if failures.len() == 1 => failures.remove(0),
            other => other,
        }
    }

    /// Whether every place answered, and none has the blob or a sound copy of it.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Self::NotFound { .. } | Self::Mismatch { .. } => true,
            Self::Everywhere { failures, .. } => failures.iter().all(Self::is_absent),
            _ => false,
        }
    }

    /// Whether some place sent content that is not what its name says.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        match self {
            Self::Mismatch { .. } => true,
            Self::Everywhere { failures, .. } => failures.iter().any(Self::is_mismatch),
            _ => false,
        }
    }
}
