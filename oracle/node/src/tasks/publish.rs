//! What follows the reveal: the response for everybody, and the one receipt.

use ed25519_dalek::SigningKey;
use provena_arith::receipt::{RECEIPT_VERSION, Receipt};
use provena_market::state::Job;
use provena_wire::receipt;
use solana_pubkey::Pubkey;

use super::Worker;
use super::submit::WorkError;
use crate::journal::{Event, JobRecord};
use crate::metrics::JobEvent;
use provena_client::view::View;

impl Worker {
    /// Publishes the response, which the reveal has made public, and signs the receipt.
    pub(super) async fn publish(
        &self,
        address: &Pubkey,
        job: &Job,
        view: &View,
        record: &JobRecord,
    ) -> Result<(), WorkError> {
        let Some(computed) = record.computed else { return Ok(()) };
        let response = match self.parts.private.get(&computed.result_root).await {
            Ok(response) => response,
            Err(error) if error.is_absent() => {
                // Lost with its disk cache; it is computed again, and the crash log holds it to the same result.
                tracing::warn!(job = %address, %error, "the response is lost; computing it again");
                return Ok(self.compute(address, job).await?);
            }
            Err(error) => return Err(error.into()),
        };
        self.parts.store.put_as(&computed.result_root, response).await?;
        let statement = Receipt {
            version: RECEIPT_VERSION,
            cluster: self.parts.cluster,
            market_program: provena_market::ID.to_bytes(),
            job: address.to_bytes(),
            node: self.me.to_bytes(),
            asset: job.asset.to_bytes(),
            content_root: job.content_root,
            recipe_root: job.recipe_root,
            input_root: job.input_root,
            result_root: computed.result_root,
            engine_class: job.engine_class,
            units: computed.units,
            slot: view.now,
        };
        let signed = receipt::sign(&statement, &SigningKey::from_bytes(self.parts.key.secret_bytes()))?;
        // The log refuses a second receipt, so whatever leaves this node is the only one.
        self.note(address, Event::Signing(signed))?;
        self.write_receipt(address)?;
        self.parts.metrics.job(JobEvent::Receipted);
        tracing::info!(job = %address, "signed the receipt");
        Ok(())
    }

    /// Writes the log's receipt into its file, all or nothing.
    pub(super) fn write_receipt(&self, address: &Pubkey) -> Result<(), WorkError> {
        let Some(signed) = self.parts.journal.job(address).and_then(|record| record.receipt) else { return Ok(()) };
        let path = self.receipt_path(address);
        let failed = |reason: String| WorkError::ReceiptFile { path: path.display().to_string(), reason };
        let text = serde_json::to_string_pretty(&signed).map_err(|error| failed(error.to_string()))?;
        let draft = path.with_extension("draft");
        std::fs::write(&draft, text + "\n")
            .and_then(|()| std::fs::rename(&draft, &path))
            .map_err(|error| failed(error.to_string()))
    }
}
