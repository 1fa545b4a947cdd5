//! What a client writes into its folder of kept jobs.

use provena_wire::{Response, SignedReceipt};
use solana_pubkey::Pubkey;

use super::Client;
use crate::kept::{JobsFolder, KeptError, KeptJob};
use crate::view::JobView;

impl Client {
    /// Keeps an answer and its receipts, also of a job that was posted elsewhere. Without a folder nothing is done.
    ///
    /// # Errors
    /// The folder cannot be written, or the chain does not say which it is.
    pub async fn keep(
        &self,
        job: &JobView,
        response: Option<&Response>,
        receipts: &[SignedReceipt],
    ) -> Result<(), String> {
        let Some(jobs) = &self.jobs else { return Ok(()) };
        let known = jobs.get(&job.address).map_err(|error| error.to_string())?;
        let mut record = match known {
            Some(record) => record,
            None => KeptJob::of(job, &self.chain.cluster().await.map_err(|error| error.to_string())?),
        };
        let keep = |record: &mut KeptJob| {
            if let Some(response) = response {
                jobs.keep_answer(&job.address, &response.to_bytes())?;
                record.result_root = job.winner().map(|seat| seat.value);
                record.fee = job.fee().map(|fee| fee.0);
            }
            record.add_receipts(receipts);
            jobs.save(record)
        };
        keep(&mut record).map_err(|error| error.to_string())
    }

    /// Does something in the folder, if there is one; that it fails is said and harms nothing.
    pub(super) fn in_folder(&self, job: &Pubkey, act: impl FnOnce(&JobsFolder) -> Result<(), KeptError>) {
        if let Some(jobs) = &self.jobs
            && let Err(error) = act(jobs)
        {
            tracing::warn!(%job, %error, "the record of the job is not up to date");
        }
    }
}
