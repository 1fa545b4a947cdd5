//! Everything that work on a job needs, in one place.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provena_arith::{commitment, domain, hash};
use provena_client::chain::{Budget, SharedChain, accounts::fetch_optional};
use provena_market::state::{Job, Offer};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::infer::InferError;
use crate::blobs::{Blobs, Private};
use crate::compute::Compute;
use crate::journal::{JobKey, Journal, Terms};
use crate::metrics::Metrics;
use crate::tasks::pace::Pace;

/// Offers that are kept so that they need not be read for each of their jobs.
const MOST_OFFERS: usize = 1_024;

/// What a node risks at most on one job. Whoever makes an offer sets its terms, and a late node loses its bond: without
/// these limits an offer could be made to be failed, or to hold bonds for days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Risk {
    /// Largest bond in lamports.
    pub max_bond: u64,
    /// Shortest time to commit, and to reveal, in slots.
    pub min_window: u32,
    /// Longest time from posting to the last reveal, in slots: all windows together.
    pub max_windows: u64,
}

/// What a [`Worker`] is made of.
pub struct WorkerParts {
    /// The chain.
    pub chain: SharedChain,
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// Where artifacts and inputs come from and responses go.
    pub store: Blobs,
    /// Where responses wait until a quorum agrees with them; nobody else reads it.
    pub private: Private,
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
    /// Of which the salts are made.
    secret: [u8; 32],
    offers: Mutex<HashMap<Pubkey, Offer>>,
}

impl Worker {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: WorkerParts) -> Self {
        let me = parts.key.pubkey();
        // By a deterministic signature, so that the key alone restores it.
        let message = [domain::SALT, &parts.cluster, provena_market::ID.as_ref()].concat();
        let secret = hash::sha256(&[domain::SALT, parts.key.sign_message(&message).as_ref()]);
        Self { parts, me, pace: Pace::default(), secret, offers: Mutex::default() }
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

    /// The salt of this node's commitment for one posting of a job. It is derived from the key, so that a node that lost its
    /// crash log can still open its commitments; and no other posting has the same, not even at the same address.
    #[must_use]
    pub fn salt(&self, key: &JobKey) -> [u8; 32] {
        commitment::salt(&self.secret, key.job.as_array(), &key.input_root, key.posted_at)
    }

    /// What a job is to be computed with: the terms of its offer, which its own terms hash names.
    ///
    /// # Errors
    /// [`InferError::Offer`] when the offer is closed or another, [`InferError::Chain`].
    pub(super) async fn terms(&self, job: &Job) -> Result<Terms, InferError> {
        let known = self.offers().get(&job.offer).and_then(|offer| Terms::of(job, offer, &self.parts.cluster));
        if let Some(terms) = known {
            return Ok(terms);
        }
        // An offer's address may come back with other terms.
        let offer = fetch_optional::<Offer, _>(self.parts.chain.as_ref(), &job.offer).await?;
        let offer = offer.ok_or(InferError::Offer)?;
        let terms = Terms::of(job, &offer, &self.parts.cluster).ok_or(InferError::Offer)?;
        let mut offers = self.offers();
        if offers.len() >= MOST_OFFERS {
            offers.clear();
        }
        offers.insert(job.offer, offer);
        Ok(terms)
    }

    /// Whether a job is known to be for a model that this node does not serve.
    pub(super) fn knows_as_foreign(&self, job: &Job) -> bool {
        let known = || self.offers().get(&job.offer).and_then(|offer| Terms::of(job, offer, &self.parts.cluster));
        !self.parts.models.is_empty() && known().is_some_and(|terms| !self.serves(&terms.asset))
    }

    fn offers(&self) -> MutexGuard<'_, HashMap<Pubkey, Offer>> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
