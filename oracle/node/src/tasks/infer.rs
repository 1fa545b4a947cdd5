//! From a job on the chain to a result in hand: fetch artifact and input, check, run.

use std::sync::Arc;
use std::time::Instant;

use provena_client::chain::ChainError;
use provena_client::store::{Bytes, Root, StoreError};
use provena_market::state::Job;
use provena_wire::{MAX_REQUEST_LEN, Units};
use solana_pubkey::Pubkey;
use tokio_util::sync::CancellationToken;

use super::pace::TooLong;
use super::{Risk, Worker};
use crate::compute::{Asked, Computation, Compute, ComputeError, Effort};
use crate::journal::{Event, JobKey, JournalError, Terms};
use crate::metrics::JobEvent;

/// Why a job cannot be computed here.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// An artifact or input cannot be had now.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It can be had and is unusable.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The request asks for more than was paid.
    #[error("the request can take {asked} units, the job pays for {paid}")]
    Units {
        /// What the request can take.
        asked: Units,
        /// In the job.
        paid: Units,
    },
    /// The job's offer does not say what to compute.
    #[error("the job was posted for other terms than its offer's, or the offer is closed")]
    Offer,
    /// A model that the node's operator did not choose.
    #[error("this node does not serve the model {0}")]
    NotServed(Pubkey),
    /// The chain cannot be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// More risk than the node takes.
    #[error("the job's terms are too risky: {0}")]
    Risk(String),
    /// The answer would come too late.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// Another engine class than this engine's.
    #[error("the job wants engine class {0}, this node has int-v1 only")]
    EngineClass(u8),
    /// The crash log refuses.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A blocking thread died.
    #[error("the engine's thread died: {0}")]
    Thread(String),
}

impl InferError {
    /// Whether the job may be tried again later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Chain(_) | Self::Compute(ComputeError::Engine(_)) | Self::Thread(_))
    }
}

impl Worker {
    /// Fetches and checks everything that a job needs, before a bond is staked on it, and judges whether its answer can
    /// be there in time. Returns what the seat is then taken for.
    ///
    /// # Errors
    /// Any [`InferError`]; nothing was changed.
    pub async fn gather(&self, address: &Pubkey, job: &Job) -> Result<Terms, InferError> {
        self.weigh(job)?;
        let terms = self.terms(job).await?;
        if terms.engine_class != provena_arith::receipt::ENGINE_CLASS_INT_V1 {
            return Err(InferError::EngineClass(terms.engine_class));
        }
        if !self.serves(&terms.asset) {
            return Err(InferError::NotServed(terms.asset));
        }
        let (request, effort) = self.fetch(job, &terms).await?;
        self.admit(address, job, &terms, &request, &effort).await?;
        Ok(terms)
    }

    /// Promises a job's answer if it can be there in time.
    async fn admit(
        &self,
        address: &Pubkey,
        job: &Job,
        terms: &Terms,
        request: &Bytes,
        effort: &Effort,
    ) -> Result<(), InferError> {
        let model = terms.content_root;
        loop {
            if !self.pace.knows(&model) {
                self.warm_up(model, request).await;
            }
            match self.pace.admit(*address, &model, effort, job.commit_window) {
                Ok(()) => return Ok(()),
                Err(_) if self.pace.forget_old(&model) => {}
                Err(error) => {
                    self.parts.metrics.job(JobEvent::TooLong);
                    return Err(error.into());
                }
            }
        }
    }

    /// Measures a model's speed, where it can be measured.
    async fn warm_up(&self, model: Root, request: &Bytes) {
        let bytes = request.clone();
        // The first answer prepares much that later ones find done.
        let both = move |compute: &dyn Compute| (0..2).map(|_| compute.warm_up(&model, &bytes)).collect();
        let measured = self.blocking::<Vec<_>>(both).await.unwrap_or_else(|error| {
            tracing::warn!(model = hex::encode(model), %error, "the model's speed cannot be measured");
            Vec::new()
        });
        tracing::debug!(model = hex::encode(model), ?measured, "warmed up");
        self.pace.warmed_up(model, &measured);
    }

    /// Fetches and checks the artifact and the request. Returns the request and the most work that it can be.
    async fn fetch(&self, job: &Job, terms: &Terms) -> Result<(Bytes, Effort), InferError> {
        let request = self.parts.store.get_within(&job.input_root, MAX_REQUEST_LEN as u64).await?;
        let (root, recipe) = (terms.content_root, terms.recipe_root);
        if !self.parts.compute.is_loaded(&root) {
            let artifact = self.parts.store.artifact(&root, self.parts.max_artifact_bytes).await?;
            self.blocking(move |compute| compute.load(&root, &recipe, artifact.path())).await?;
        }
        let bytes = request.clone();
        let Asked { units, effort } = self.blocking(move |compute| compute.check(&root, &bytes)).await?;
        let paid = Units::new(job.max_input, job.max_output);
        if !units.within(paid) {
            return Err(InferError::Units { asked: units, paid });
        }
        Ok((request, effort))
    }

    fn weigh(&self, job: &Job) -> Result<(), InferError> {
        let Risk { max_bond, min_window, max_windows } = self.parts.risk;
        if job.bond > max_bond {
            return Err(InferError::Risk(format!("a bond of {} lamports, the limit is {max_bond}", job.bond)));
        }
        let window = job.commit_window.min(job.reveal_window);
        if window < min_window {
            return Err(InferError::Risk(format!("a window of {window} slots, the least is {min_window}")));
        }
        // For so long co-nodes of the payer's own can hold the bond.
        let open = job.open_until.saturating_sub(job.posted_at);
        let windows = open.saturating_add(u64::from(job.commit_window)).saturating_add(u64::from(job.reveal_window));
        if windows > max_windows {
            return Err(InferError::Risk(format!("windows of {windows} slots together, the most is {max_windows}")));
        }
        Ok(())
    }

    /// Computes a job's result, keeps the response and writes the result into the crash log. Dropping the future stops
    /// the computation.
    ///
    /// # Errors
    /// Any [`InferError`].
    pub async fn compute(&self, key: &JobKey, job: &Job) -> Result<(), InferError> {
        let taken = self.parts.journal.job(key).and_then(|record| record.taking);
        let terms = match taken {
            Some((_, terms)) => terms,
            None => self.terms(job).await?,
        };
        let (request, effort) = self.fetch(job, &terms).await?;
        let root = terms.content_root;
        self.pace.enter(key.job, &root, &effort, job.commit_window);
        let begun = Instant::now();
        // The engine works on a thread that cannot be ended from outside; it looks at this after each token.
        let given_up = CancellationToken::new();
        let held = given_up.clone().drop_guard();
        let run = move |compute: &dyn Compute| compute.run(&root, &request, &given_up);
        let Computation { response, units, spent } = self.blocking(run).await?;
        drop(held);
        let took = begun.elapsed();
        self.parts.metrics.inference(units, took.as_secs_f64());
        self.pace.record(&root, &spent);
        self.pace.leave(&key.job);
        let result_root = self.parts.private.put(response).await?;
        let Units { input: units_in, output: units_out } = units;
        self.note(key, Event::Computed { result_root, units_in, units_out, salt: self.salt(key) })?;
        self.parts.metrics.job(JobEvent::Computed);
        tracing::info!(job = %key.job, %units, ?took, result_root = hex::encode(result_root), "computed");
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Compute) -> Result<T, ComputeError> + Send + 'static,
    ) -> Result<T, InferError> {
        let compute = Arc::clone(&self.parts.compute);
        let done = tokio::task::spawn_blocking(move || work(compute.as_ref())).await;
        done.map_err(|error| InferError::Thread(error.to_string()))?.map_err(InferError::Compute)
    }
}
