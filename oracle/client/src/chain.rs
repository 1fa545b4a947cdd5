//! The chain behind traits: [`ChainReader`] and [`ChainSubmitter`] are all that anything else knows of it.
//!
//! [`RpcChain`] is the one implementation for real clusters. Two rules hold everywhere:
//! a timeout is *unknown*, never *failed* ([`submitter::resolve`] asks for the signature until its blockhash has
//! expired, and only then is a transaction safe to repeat), and an account is decoded only through the owning
//! program's own state type ([`accounts`]).
//!
//! An [`RpcChain`] serves one chain for as long as it lives: when the URL leads to another one, every request fails with
//! [`ChainError::WrongChain`] until the first is back.
//!
//! Every transaction is of version 0, asks for the compute units that its instructions were measured to take ([`limits`]),
//! pays more where a deadline is near ([`Budget::near`]), and is never sent when it is too long ([`message`], [`lookup`]).

pub mod accounts;
mod backoff;
mod batch;
mod budget;
pub mod clusters;
mod combined;
mod connection;
pub mod effects;
mod error;
mod genesis;
mod health;
pub mod history;
pub mod limits;
pub mod lookup;
pub mod message;
pub mod programs;
mod reader;
mod rejection;
mod rpc;
pub mod submitter;
mod subscribe;

use std::sync::Arc;

use async_trait::async_trait;
use solana_account::Account;
use solana_hash::Hash;
use solana_message::AddressLookupTableAccount;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;

use crate::reach::Reach;

pub use backoff::Backoff;
pub use budget::{Budget, SIGNATURE_FEE, urgency};
pub use combined::Combined;
pub use error::ChainError;
pub use health::{Health, HealthReport};
pub use rejection::Rejection;
pub use rpc::{RpcChain, RpcOptions, websocket_url};
pub use submitter::{Confirmed, Pending, send_and_confirm, send_within};
pub use subscribe::{Change, Changes, Watch};

/// A chain that can be read and written; what nearly every function takes.
pub trait Chain: ChainReader + ChainSubmitter {}
impl<T: ChainReader + ChainSubmitter> Chain for T {}

/// A chain shared by tasks.
pub type SharedChain = Arc<dyn Chain>;

/// Which accounts of a program to list. All parts must match.
#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    /// Exact length of the account's data in bytes.
    pub len: Option<u64>,
    /// Byte strings that must appear at these offsets (discriminator included); at most three.
    pub bytes: Vec<(usize, Vec<u8>)>,
}

impl AccountFilter {
    /// As this one, and `bytes` at `offset` of the account's data.
    #[must_use]
    pub fn and(mut self, offset: usize, bytes: &[u8]) -> Self {
        self.bytes.push((offset, bytes.to_vec()));
        self
    }
}

/// A recent blockhash and the last block height at which a transaction that names it may still land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentBlockhash {
    /// The hash that a transaction names.
    pub hash: Hash,
    /// Block height after which a transaction naming it can never land.
    pub last_valid_block_height: u64,
}

/// What the chain knows of a signature.
#[derive(Debug, Clone, PartialEq)]
pub struct SignatureStatus {
    /// Slot in which it landed.
    pub slot: u64,
    /// Whether it reached the commitment that this connection asks for.
    pub confirmed: bool,
    /// `Some` when it landed and failed; its fee is spent and nothing else changed.
    pub error: Option<TransactionError>,
    /// Whether the block is rooted and can no longer be lost to a fork.
    pub finalized: bool,
}

/// Everything that is asked of the chain without changing it.
#[async_trait]
pub trait ChainReader: Send + Sync + 'static {
    /// The genesis hash: which cluster this is. It goes into every commitment and receipt.
    async fn cluster(&self) -> Result<[u8; 32], ChainError>;
    /// The current slot at this connection's commitment.
    async fn slot(&self) -> Result<u64, ChainError>;
    /// One account, or `None` when nothing lives there.
    async fn account(&self, address: &Pubkey) -> Result<Option<Account>, ChainError>;
    /// Several accounts read together, in order.
    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Account>>, ChainError>;
    /// Every account of `program` that matches `filter`.
    async fn program_accounts(
        &self,
        program: &Pubkey,
        filter: &AccountFilter,
    ) -> Result<Vec<(Pubkey, Account)>, ChainError>;
    /// Lamports that keep an account of `len` data bytes alive.
    async fn rent_exempt(&self, len: usize) -> Result<u64, ChainError>;
    /// Hints that something changed. Hints may be lost: whoever waits on them polls as well.
    fn watch(&self, watch: Watch) -> Changes;
    /// How well the connection does.
    fn health(&self) -> HealthReport;
    /// How far the addresses may lead that nodes write into this chain.
    ///
    /// # Errors
    /// The chain cannot be asked which it is.
    async fn reach(&self) -> Result<Reach, ChainError> {
        Ok(Reach::Public)
    }
}

/// Everything that changes the chain.
#[async_trait]
pub trait ChainSubmitter: Send + Sync + 'static {
    /// A blockhash for a new transaction.
    async fn recent_blockhash(&self) -> Result<RecentBlockhash, ChainError>;
    /// Hands a signed transaction to the cluster once. Success says only that it was taken.
    async fn send(&self, transaction: &VersionedTransaction) -> Result<(), ChainError>;
    /// What a transaction offers whose sender has no reason to offer more.
    fn budget(&self) -> Budget {
        Budget::default()
    }
    /// Lookup tables that a transaction uses where it would be too long without.
    fn lookup_tables(&self) -> &[AddressLookupTableAccount] {
        &[]
    }
    /// What became of a signature, or `None` while nothing is known.
    async fn signature_status(&self, signature: &Signature) -> Result<Option<SignatureStatus>, ChainError>;
    /// As [`ChainSubmitter::signature_status`], for several, in order.
    async fn signature_statuses(&self, signatures: &[Signature]) -> Result<Vec<Option<SignatureStatus>>, ChainError> {
        let mut statuses = Vec::with_capacity(signatures.len());
        for signature in signatures {
            statuses.push(self.signature_status(signature).await?);
        }
        Ok(statuses)
    }
    /// The current block height at this connection's commitment.
    async fn block_height(&self) -> Result<u64, ChainError>;
    /// Asks a test cluster's faucet for lamports.
    async fn airdrop(&self, to: &Pubkey, lamports: u64) -> Result<Signature, ChainError>;
}
