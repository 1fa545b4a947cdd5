//! What can go wrong between us and the chain.

use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::Rejection;

/// A failure of reading or writing the chain. [`ChainError::is_transient`] says whether waiting may help.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChainError {
    /// The RPC server did not answer, or answered nonsense.
    #[error("the RPC server at {url} does not answer ({reason})")]
    Unreachable {
        /// Where we asked.
        url: String,
        /// The transport's own words.
        reason: String,
    },
    /// The server answered with an error of its own (not a program's).
    #[error("the RPC server at {url} refused the request: {reason}")]
    Rpc {
        /// Where we asked.
        url: String,
        /// The server's own words.
        reason: String,
    },
    /// The server answers for another chain than before. Nothing was sent to it.
    #[error(
        "the RPC server at {url} now answers for another chain: its genesis is {found}, and was {expected} before; \
         check the URL, or start again if the chain was meant to change"
    )]
    WrongChain {
        /// Where we asked.
        url: String,
        /// Genesis hash of the chain that this connection began with.
        expected: Pubkey,
        /// Genesis hash of the chain that answers now.
        found: Pubkey,
    },
    /// The URL cannot be used.
    #[error("{url:?} is not an RPC URL: {reason}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A program or the runtime refused the transaction. Nothing but a possible fee was spent.
    #[error(transparent)]
    Rejected(Box<Rejection>),
    /// The blockhash expired and the transaction never landed: repeating it is safe.
    #[error("transaction {signature} never landed and can no longer land; it is safe to send it again")]
    Expired {
        /// The transaction.
        signature: Signature,
    },
    /// Nobody can say yet whether it landed. Never repeat it blindly: ask for this signature again.
    #[error("it is unknown whether transaction {signature} landed ({reason}); ask for its status before repeating it")]
    Unknown {
        /// The transaction.
        signature: Signature,
        /// Why it is unknown.
        reason: String,
    },
    /// An account that must exist does not.
    #[error("there is no {what} at {address}")]
    Missing {
        /// What was looked for, in words.
        what: &'static str,
        /// Where.
        address: Pubkey,
    },
    /// An account is not what it should be.
    #[error("the account {address} is not a {what}: {reason}")]
    Malformed {
        /// What it should be, in words.
        what: &'static str,
        /// Where.
        address: Pubkey,
        /// What is wrong.
        reason: String,
    },
    /// A transaction is longer than a packet; it was not sent.
    #[error(
        "the transaction has {bytes} bytes with {tables} lookup tables, more than the {most} that a cluster takes; \
         name fewer accounts, shorten texts, or use a lookup table that holds its accounts"
    )]
    TooLong {
        /// Bytes that it has.
        bytes: usize,
        /// Bytes that it may have.
        most: usize,
        /// Lookup tables that it was compiled against.
        tables: usize,
    },
    /// A transaction could not be built or signed.
    #[error("the transaction cannot be built: {0}")]
    Build(String),
}

impl ChainError {
    /// Whether the same question may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Rpc { .. }
                | Self::WrongChain { .. }
                | Self::Expired { .. }
                | Self::Unknown { .. }
        )
    }

    /// The program's refusal, when that is what this is.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            _ => None,
        }
    }
}
