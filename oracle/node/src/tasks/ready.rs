//! Requests that are made ready for their model: once, before the claim, and kept until they are computed.
//!
//! Whether a request can be prepared is asked before a bond is staked on it, within bounds. After the claim nothing may say no:
//! what was prepared is used. Only where nothing is kept, after a restart for instance, it is prepared again, without haste.

use std::time::Duration;

use provena_client::store::{Bytes, Root};
use provena_wire::MAX_REQUEST_LEN;

use super::Worker;
use super::admission::Refusal;
use super::infer::InferError;
use crate::compute::{Compute, Prepared, TimeLimit};
use crate::journal::JobKey;

/// The longest that a request may take to be prepared. The engine has bounds of its own; this one holds whatever they are.
const PREPARE_PATIENCE: Duration = Duration::from_secs(20);

/// Bytes of requests that are kept ready, of all jobs together. Tokens of a text are at most four times its model's context;
/// many pictures are more. What has no room is prepared again when its turn to be computed comes.
const MOST_READY: usize = 64 << 20;

/// A request that is kept ready.
pub(super) struct Ready {
    input: Root,
    model: Root,
    prepared: Prepared,
}

impl Worker {
    /// Prepares a request for a loaded model, in a bounded way: few at the same time, for a bounded time, marked before and
    /// unmarked after. Place and mark are the working thread's: whoever asked may be gone before it is done.
    pub(super) async fn prepare(
        &self,
        model: Root,
        input: &Root,
        request: Bytes,
        place: impl Send + 'static,
    ) -> Result<Prepared, Refusal> {
        let attempt = self.parts.attempts.begin(&model, input).ok_or(Refusal::FailedBefore)?;
        let prepare = self.blocking(move |compute: &dyn Compute| {
            let prepared = compute.prepare(&model, &request, TimeLimit::Bounded);
            attempt.done();
            drop(place);
            prepared
        });
        match tokio::time::timeout(PREPARE_PATIENCE, prepare).await {
            Ok(prepared) => prepared,
            Err(_) => Err(Refusal::SlowRequest(PREPARE_PATIENCE.as_secs())),
        }
    }

    /// Prepares a request of a job that this node has taken, however long it takes.
    pub(super) async fn prepare_again(&self, key: &JobKey, model: Root) -> Result<Prepared, InferError> {
        let _place = self.preparing_again.acquire().await;
        let request = self.parts.store.get_within(&key.input_root, MAX_REQUEST_LEN as u64).await?;
        let prepare = move |compute: &dyn Compute| compute.prepare(&model, &request, TimeLimit::Lifted);
        Ok(self.blocking(prepare).await?)
    }

    /// Keeps a request ready for a job, unless those of all jobs would take too much together.
    pub(super) fn keep_ready(&self, key: &JobKey, model: Root, prepared: Prepared) {
        let mut keeps = self.keeps();
        let others = keeps.iter().filter(|(job, _)| **job != key.job);
        let held: usize =
            others.filter_map(|(_, kept)| kept.request.as_ref()).map(|ready| ready.prepared.bytes()).sum();
        if held.saturating_add(prepared.bytes()) > MOST_READY {
            tracing::debug!(job = %key.job, held, "the request is prepared again when it is computed");
            return;
        }
        keeps.entry(key.job).or_default().request = Some(Ready { input: key.input_root, model, prepared });
    }

    /// The request of a job, if it is kept ready.
    pub(super) fn ready_request(&self, key: &JobKey, model: &Root) -> Option<Prepared> {
        let keeps = self.keeps();
        let ready = keeps.get(&key.job)?.request.as_ref()?;
        // Another posting at the same address has another request.
        (ready.input == key.input_root && ready.model == *model).then(|| ready.prepared.clone())
    }
}
