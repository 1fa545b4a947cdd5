//! Everything that work on a job needs, in one place.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use provena_arith::{domain, hash};
use provena_client::{
    chain::{Budget, SharedChain},
    store::Store,
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::compute::Compute;
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::tasks::pace::Pace;

/// What a node risks at most on one job. Whoever makes an offer sets its terms, and a late node's bond goes to the
/// payer: without these limits an offer could be made to be failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Risk {
    /// Largest bond in lamports.
    pub max_bond: u64,
    /// Shortest time to commit, and to reveal, in slots.
    pub min_window: u32,
}

/// What a [`Worker`] is made of.
pub struct WorkerParts {
    /// The chain.
    pub chain: SharedChain,
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// Where artifacts and inputs come from and responses go.
    pub store: Store,
    /// Where responses wait until they are revealed; nobody else reads it.
    pub private: Store,
    /// The crash log.
    pub journal: Journal,
    /// What computes.
    pub compute: Arc<dyn Compute>,
    /// The node's key.
    pub key: Keypair,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// For every transaction.
    pub budget: Budget,
    /// Mints of the models to serve; empty serves all.
    pub models: Vec<Pubkey>,
    /// Folder of the receipt files.
    pub receipts: PathBuf,
    /// What the node risks at most.
    pub risk: Risk,
    /// Largest artifact to fetch.
    pub max_artifact_bytes: u64,
    /// Longest time between two looks at a job in progress.
    pub poll: Duration,
}

/// Sees jobs through. Shared by all tasks.
pub struct Worker {
    pub(super) parts: WorkerParts,
    pub(super) me: Pubkey,
    /// How fast the node is, and what it has promised.
    pub(super) pace: Pace,
}

impl Worker {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: WorkerParts) -> Self {
        let me = parts.key.pubkey();
        Self { parts, me, pace: Pace::default() }
    }

    /// The node's authority.
    #[must_use]
    pub fn authority(&self) -> Pubkey {
        self.me
    }

    /// The crash log.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.parts.journal
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.parts.metrics
    }

    /// Whether the node serves this model.
    #[must_use]
    pub fn serves(&self, asset: &Pubkey) -> bool {
        self.parts.models.is_empty() || self.parts.models.contains(asset)
    }

    /// Where a job's receipt is kept.
    #[must_use]
    pub fn receipt_path(&self, job: &Pubkey) -> PathBuf {
        self.parts.receipts.join(format!("{job}.json"))
    }

    /// The salt of this node's commitment for a job. It is derived from the key by a deterministic signature, so a
    /// node that lost its crash log can still open its commitments.
    pub(super) fn salt(&self, job: &Pubkey) -> [u8; 32] {
        let message = [domain::SALT, &self.parts.cluster, provena_market::ID.as_ref(), job.as_ref()].concat();
        let signature = self.parts.key.sign_message(&message);
        hash::sha256(&[domain::SALT, signature.as_ref()])
    }
}
