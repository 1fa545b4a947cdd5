//! Everything that work on a job needs, in one place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provena_arith::{commitment, domain, hash};
use provena_client::chain::{Budget, SharedChain};
use provena_market::state::{Job, Offer};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::sync::Semaphore;

use super::admission::{Attempts, Kept, Ledger, Limits};
use super::alone::Alone;
use super::feed::Feed;
use super::model_turns::ModelTurns;
use super::turns::Turns;
use super::wasted::Wasted;
use crate::blobs::{Blobs, Private};
use crate::compute::Compute;
use crate::journal::{JobKey, Journal, Terms};
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::tasks::pace::Pace;

/// Inputs that are fetched at the same time.
const FETCHING: usize = 16;
/// Requests that are prepared at the same time for jobs.
const PREPARING: usize = 4;
/// Models that are fetched from elsewhere for quotes at the same time.
const FETCHING_FOR_QUOTES: usize = 2;
/// Requests that are prepared again after a restart at the same time: they may be large, and many.
const PREPARING_AGAIN: usize = 2;
/// Models that are fetched from elsewhere at the same time.
const FETCHING_MODELS: usize = 8;

/// Offers that are kept so that they need not be read for each of their jobs.
const MOST_OFFERS: usize = 1_024;

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
    /// What keeps the node from taking jobs.
    pub readiness: Arc<Readiness>,
    /// For every transaction.
    pub budget: Budget,
    /// Mints of the models to serve; empty serves all.
    pub models: Vec<Pubkey>,
    /// What the node takes on.
    pub limits: Limits,
    /// Requests whose preparation never ended.
    pub attempts: Arc<Attempts>,
    /// Answers that are computed at the same time.
    pub max_computing: usize,
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
    /// What jobs hold of the node.
    pub(super) ledger: Arc<Ledger>,
    /// Seats beside which nobody sits.
    pub(super) alone: Alone,
    /// What the store keeps for each job that was admitted.
    keeps: Mutex<HashMap<Pubkey, Kept>>,
    /// How often work was lost because a seat was gone.
    pub(super) wasted: Wasted,
    /// What the watcher hears of jobs in progress.
    pub(super) feed: Feed,
    /// Held while an input is fetched.
    pub(super) fetching: Semaphore,
    /// Held while a request is prepared for a job, by the thread that does it.
    pub(super) preparing: Arc<Semaphore>,
    /// Whose turn it is to have a request prepared for a quote. The thread that does it has the turn.
    pub(super) quoting: Arc<Turns>,
    /// Models that are not on this machine and are fetched for quotes.
    pub(super) fetching_for_quotes: Arc<ModelTurns>,
    /// Held while a request is prepared again for a job whose bond is staked.
    pub(super) preparing_again: Semaphore,
    /// Models that are not on this machine and are fetched for jobs.
    pub(super) fetching_models: Arc<ModelTurns>,
    /// Held while a model is loaded.
    pub(super) loading: tokio::sync::Mutex<()>,
    /// Held while an answer is computed.
    pub(super) computing: Semaphore,
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
        let computing = Semaphore::new(parts.max_computing.max(1));
        let ledger = parts.readiness.ledger();
        let worker = Self {
            parts,
            me,
            pace: Pace::default(),
            ledger,
            alone: Alone::default(),
            keeps: Mutex::default(),
            wasted: Wasted::default(),
            feed: Feed::default(),
            fetching: Semaphore::new(FETCHING),
            preparing: Arc::new(Semaphore::new(PREPARING)),
            quoting: Arc::default(),
            fetching_for_quotes: ModelTurns::new(FETCHING_FOR_QUOTES),
            preparing_again: Semaphore::new(PREPARING_AGAIN),
            fetching_models: ModelTurns::new(FETCHING_MODELS),
            loading: tokio::sync::Mutex::default(),
            computing,
            secret,
            offers: Mutex::default(),
        };
        worker.keep_again();
        worker
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

    /// The salt of this node's commitment for one posting of a job. It is derived from the key, so that a node that lost its
    /// crash log can still open its commitments; and no other posting has the same, not even at the same address.
    #[must_use]
    pub fn salt(&self, key: &JobKey) -> [u8; 32] {
        commitment::salt(&self.secret, key.job.as_array(), &key.input_root, key.posted_at)
    }

    /// What jobs hold of the node.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// A job's terms, if its offer was read before.
    pub(super) fn known_terms(&self, job: &Job) -> Option<Terms> {
        self.offers().get(&job.offer).and_then(|offer| Terms::of(job, offer, &self.parts.cluster))
    }

    /// Keeps an offer, so that it need not be read for each of its jobs.
    pub(super) fn remember_offer(&self, address: Pubkey, offer: Offer) {
        let mut offers = self.offers();
        if offers.len() >= MOST_OFFERS {
            offers.clear();
        }
        offers.insert(address, offer);
    }

    /// Whether a job is known to be for a model that this node does not serve.
    pub(super) fn knows_as_foreign(&self, job: &Job) -> bool {
        !self.parts.models.is_empty() && self.known_terms(job).is_some_and(|terms| !self.serves(&terms.asset))
    }

    /// What the store keeps for each job that was admitted.
    pub(super) fn keeps(&self) -> MutexGuard<'_, HashMap<Pubkey, Kept>> {
        self.keeps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offers(&self) -> MutexGuard<'_, HashMap<Pubkey, Offer>> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
