//! From a job that was taken to a result in hand: load, run, keep.

use std::sync::Arc;
use std::time::{Duration, Instant};

use provena_arith::merkle::content_root;
use provena_client::store::{Root, StoreError};
use provena_market::state::Job;
use provena_wire::Units;
use solana_pubkey::Pubkey;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Worker;
use super::admission::Refusal;
use crate::blobs::{ArtifactFile, TurnError};
use crate::compute::{Computation, Compute, ComputeError, Prepared};
use crate::journal::{Event, JobKey, JournalError, Terms};
use crate::metrics::JobEvent;

/// The longest that a model may take to come from elsewhere.
const MODEL_PATIENCE: Duration = Duration::from_secs(1_800);

/// The longest that a model may take to come which is on this machine, or small and near.
const HERE_PATIENCE: Duration = Duration::from_secs(8);

/// What a model is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Somebody asks, who has not paid.
    Quote,
    /// A job that may be taken.
    Job,
    /// A job whose bond is staked.
    Claimed,
}

/// Why a job cannot be computed here.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// An artifact or input cannot be had now, or is unusable.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The crash log refuses.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl From<StoreError> for InferError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl Worker {
    /// Measures a model's speed, where it can be measured.
    pub(super) async fn warm_up(&self, model: Root, like: &Prepared) {
        let like = like.clone();
        let _place = self.computing.acquire().await;
        // The first answer prepares much that later ones find done.
        let both = move |compute: &dyn Compute| (0..2).map(|_| compute.warm_up(&model, &like)).collect();
        let measured = self.blocking::<Vec<_>>(both).await.unwrap_or_else(|error| {
            tracing::warn!(model = hex::encode(model), %error, "the model's speed cannot be measured");
            Vec::new()
        });
        tracing::debug!(model = hex::encode(model), ?measured, "warmed up");
        self.pace.warmed_up(model, &measured);
    }

    /// Loads a model, unless it is loaded. How long it may take to be fetched depends on what it is for.
    pub(super) async fn load(&self, terms: &Terms, reason: Reason) -> Result<(), Refusal> {
        let (root, recipe) = (terms.content_root, terms.recipe_root);
        if self.parts.compute.is_loaded(&root) {
            return Ok(());
        }
        // Fetched before it is anybody's turn to load: whoever sends slowly holds up nobody else.
        let artifact = self.artifact(&root, reason).await?;
        // Artifacts are large: one at a time, and who waited may find it loaded.
        let _turn = self.loading.lock().await;
        if !self.parts.compute.is_loaded(&root) {
            // One that takes the process with it is left alone like a request that does.
            let attempt = self.parts.attempts.begin(&root, &root);
            // After the claim nothing may say no.
            if attempt.is_none() && reason != Reason::Claimed {
                return Err(Refusal::FailedBefore);
            }
            let load = move |compute: &dyn Compute| {
                let loaded = compute.load(&root, &recipe, artifact.path());
                if let Some(attempt) = attempt {
                    attempt.done();
                }
                loaded
            };
            self.blocking(load).await?;
        }
        Ok(())
    }

    async fn artifact(&self, root: &Root, reason: Reason) -> Result<ArtifactFile, Refusal> {
        let (store, most) = (&self.parts.store, self.parts.max_artifact_bytes);
        let late = |seconds: Duration| StoreError::Failed {
            url: "the store".to_owned(),
            reason: format!("the model did not come within {} s", seconds.as_secs()),
        };
        let near = || tokio::time::timeout(HERE_PATIENCE, store.artifact(root, most));
        if let Some(here) = store.artifact_at_hand(root, most).await? {
            return Ok(here);
        }
        match reason {
            Reason::Claimed => {
                let fetched = tokio::time::timeout(MODEL_PATIENCE, store.artifact_for_bond(root, most)).await;
                Ok(fetched.map_err(|_| late(MODEL_PATIENCE))??)
            }
            // Nobody has paid: few at a time, and what is small and near.
            Reason::Quote => {
                let _turn = self.fetching_for_quotes.take(root).ok_or(Refusal::Busy)?;
                Ok(near().await.map_err(|_| late(HERE_PATIENCE))??)
            }
            // What is small and near needs no turn. The others do not wait for one: they are looked at again, and the slowest
            // of those that have one meanwhile gives it up.
            Reason::Job => {
                if let Ok(near) = near().await {
                    return Ok(near?);
                }
                let turn = self.fetching_models.take(root);
                let _turn = turn.ok_or_else(|| {
                    store.others_wait();
                    Refusal::Busy
                })?;
                let fetched = tokio::time::timeout(MODEL_PATIENCE, store.artifact_in_turn(root, most)).await;
                fetched.map_err(|_| late(MODEL_PATIENCE))?.map_err(|error| match error {
                    TurnError::GaveWay => Refusal::Busy,
                    TurnError::Store(error) => error.into(),
                })
            }
        }
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
        self.load(&terms, Reason::Claimed).await?;
        let root = terms.content_root;
        if !self.pace.is_promised(&key.job) {
            // After a restart. What it says of the request is known: it was taken.
            let prepared = self.prepare_again(key, root).await;
            let effort = prepared.as_ref().map(|prepared| prepared.asked.effort).unwrap_or_default();
            if let Ok(prepared) = prepared {
                self.keep_ready(key, root, prepared);
            }
            self.pace.enter(key.job, &root, &effort, job.commit_window);
        }
        let place = self.computing.acquire().await;
        let request = match self.ready_request(key, &root) {
            Some(ready) => ready,
            None => self.prepare_again(key, root).await?,
        };
        let begun = Instant::now();
        // The engine works on a thread that cannot be ended from outside; it looks at this after each token.
        let given_up = CancellationToken::new();
        let held = given_up.clone().drop_guard();
        let run = move |compute: &dyn Compute| compute.run(&root, &request, &given_up);
        let Computation { response, units, spent } = self.blocking(run).await?;
        drop((held, place));
        let took = begun.elapsed();
        self.parts.metrics.inference(units, took.as_secs_f64());
        self.pace.record(&root, &spent);
        self.pace.leave(&key.job);
        let result_root = content_root(&response)
            .map_err(|_| Refusal::from(ComputeError::Engine("it answered nothing".to_owned())))?;
        self.keep(&key.job, response).await;
        let Units { input: units_in, output: units_out } = units;
        self.note(key, Event::Computed { result_root, units_in, units_out, salt: self.salt(key) }).await?;
        self.parts.metrics.job(JobEvent::Computed);
        tracing::info!(job = %key.job, %units, ?took, result_root = hex::encode(result_root), "computed");
        Ok(())
    }

    /// Keeps a response until a quorum agrees with it, in the room that was reserved for it. Where that fails nothing is lost:
    /// it is computed again.
    async fn keep(&self, job: &Pubkey, response: Vec<u8>) {
        self.keeps().entry(*job).and_modify(|kept| (kept.room, kept.request) = (None, None));
        if let Ok(root) = content_root(&response) {
            self.pin_answer(job, &root);
        }
        if let Err(error) = self.parts.private.put(response).await {
            tracing::warn!(%job, %error, "a response cannot be kept; it is computed again when it is needed");
        }
    }

    /// Has the engine work on a thread of its own: it may take minutes, and the runtime's threads for what blocks are few, so
    /// that a node with many jobs needs little memory. Whoever calls bounds how many there are.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Compute) -> Result<T, ComputeError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let compute = Arc::clone(&self.parts.compute);
        let (sender, done) = oneshot::channel();
        let work = move || drop(sender.send(work(compute.as_ref())));
        std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(work)
            .map_err(|error| Refusal::Thread(error.to_string()))?;
        done.await.map_err(|_| Refusal::Thread("it panicked".to_owned()))?.map_err(Refusal::Compute)
    }
}
