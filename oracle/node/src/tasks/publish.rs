//! What follows the decision: the response for everybody, and the one receipt. Before a quorum agreed nobody gets either.

use ed25519_dalek::SigningKey;
use provena_arith::receipt::{KIND_JOB, RECEIPT_VERSION, Receipt};
use provena_client::{store::Bytes, view::JobView};
use provena_market::state::Job;
use provena_wire::receipt;

use super::Worker;
use super::submit::WorkError;
use crate::journal::{Computed, Event, JobKey, JobRecord};
use crate::metrics::JobEvent;

impl Worker {
    /// Publishes the response, with which the quorum agreed, and signs the receipt.
    pub(super) async fn publish(&self, key: &JobKey, job: &JobView, record: &JobRecord) -> Result<(), WorkError> {
        let Some(computed) = record.computed else { return Ok(()) };
        let response = self.response(key, &job.job, &computed).await?;
        self.parts.store.put_as(&computed.result_root, response).await?;
        let Some(fee) = job.fee() else { return Ok(()) };
        let terms = match &record.taking {
            Some((_, terms)) => terms.clone(),
            None => self.terms(&job.job).await?,
        };
        let statement = Receipt {
            version: RECEIPT_VERSION,
            kind: KIND_JOB,
            cluster: self.parts.cluster,
            program: provena_market::ID.to_bytes(),
            place: key.job.to_bytes(),
            number: 0,
            node: self.me.to_bytes(),
            payer: job.job.payer.to_bytes(),
            asset: terms.asset.to_bytes(),
            asset_version: terms.asset_version,
            content_root: terms.content_root,
            recipe_root: terms.recipe_root,
            input_root: key.input_root,
            result_root: computed.result_root,
            terms_hash: job.job.terms_hash,
            mint: job.job.mint.to_bytes(),
            amount: fee.0,
            engine_class: terms.engine_class,
            units_in: computed.units.input,
            units_out: computed.units.output,
            slot: key.posted_at,
        };
        let signed = receipt::sign(&statement, &SigningKey::from_bytes(self.parts.key.secret_bytes()))?;
        // The log refuses a second receipt, so whatever leaves this node is the only one.
        self.note(key, Event::Signing(signed)).await?;
        self.parts.metrics.job(JobEvent::Receipted);
        tracing::info!(job = %key.job, "published the response and signed the receipt");
        Ok(())
    }

    /// The response that was computed for a job. If it was lost with its disk cache it is computed again, and the crash log
    /// holds that to the same result.
    pub(super) async fn response(&self, key: &JobKey, job: &Job, computed: &Computed) -> Result<Bytes, WorkError> {
        match self.parts.private.get(&computed.result_root).await {
            Err(error) if error.is_absent() => {
                tracing::warn!(job = %key.job, %error, "the response is lost; computing it again");
                self.compute(key, job).await?;
                Ok(self.parts.private.get(&computed.result_root).await?)
            }
            found => Ok(found?),
        }
    }
}
