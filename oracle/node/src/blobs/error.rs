//! Why the node's own store does not take or give a blob.

use provena_client::store::{Root, StoreError};

use super::Class;

/// There is no room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// The class's quota is used by what is needed now.
    #[error("{needed} bytes do not fit into the {quota} bytes for {name}; raise [store] {name}_bytes", name = class.quota_name())]
    Quota {
        /// Which class.
        class: Class,
        /// Bytes that are wanted.
        needed: u64,
        /// Bytes that there are for the class.
        quota: u64,
    },
    /// One payer's jobs have as much as one payer may have.
    #[error(
        "{needed} bytes for the answer are too many beside this payer's other jobs: one payer gets half of the {quota} bytes for answers; raise [store] answers_bytes"
    )]
    Payer {
        /// Bytes that are wanted.
        needed: u64,
        /// Bytes that there are for answers.
        quota: u64,
    },
    /// Too much of it arrives at this moment.
    #[error("too much of {class} arrives at this moment")]
    Busy {
        /// Which class.
        class: Class,
    },
    /// The disk is full.
    #[error(
        "the disk has {free} bytes free, of which {keep_free} stay free and {reserved} are promised, and {needed} are needed; make room, or lower [store] keep_free_bytes"
    )]
    Disk {
        /// Bytes that are wanted.
        needed: u64,
        /// Bytes that are free.
        free: u64,
        /// Bytes reserved for what is not written yet.
        reserved: u64,
        /// Bytes that stay free.
        keep_free: u64,
    },
    /// The last attempt to write failed, and none has succeeded since.
    #[error("the store cannot write: {0}")]
    Failing(String),
}

/// A blob was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no room.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// Larger than allowed.
    #[error("the blob has more than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// The bytes are not what their name says.
    #[error("{len} bytes with the content root {} are not {}", hex::encode(found), hex::encode(expected))]
    Mismatch {
        /// What they are called.
        expected: Root,
        /// What they are.
        found: Root,
        /// How many there are.
        len: u64,
    },
    /// The file system failed.
    #[error("the file system failed: {0}")]
    Io(#[from] std::io::Error),
}

/// The store's name in messages.
pub(super) const OWN: &str = "the node's own store";

impl From<BlobError> for StoreError {
    fn from(error: BlobError) -> Self {
        let url = OWN.to_owned();
        match error {
            BlobError::TooLarge { limit } => Self::TooLarge { len: limit, limit },
            BlobError::Mismatch { expected, found, len } => Self::Mismatch { url, expected, found, len },
            other => Self::Failed { url, reason: other.to_string() },
        }
    }
}
