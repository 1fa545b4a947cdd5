//! Why a node does not start or go on.

use provena_client::{chain::ChainError, store::StoreError};
use solana_pubkey::Pubkey;

use crate::compute::ComputeError;
use crate::config::ConfigError;
use crate::instance::InstanceError;
use crate::journal::JournalError;

/// Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The crash log cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The engine cannot be used, or computes wrong results.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The chain refuses.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The programs are not there.
    #[error(
        "the market is not set up on this cluster; check [chain] rpc_url, or set it up with `provena deploy --init-only`"
    )]
    NoMarket,
    /// The market was set up on another cluster.
    #[error("the market says its cluster is {market}, the RPC server's is {rpc}; check [chain] rpc_url")]
    WrongCluster {
        /// In the market's config.
        market: Pubkey,
        /// From the RPC server.
        rpc: Pubkey,
    },
    /// The node has no account.
    #[error("{0} is not registered as a node; register it with `provena node register`")]
    NotRegistered(Pubkey),
    /// Another process acts with the key.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// A task died.
    #[error("a task of the node died: {0}")]
    Task(String),
}
