//! Giving a node the request that it is to answer.

use std::time::Duration;

use provena_wire::upload::{JOB_HEADER, SIGNATURE_HEADER, SLOT_HEADER, Upload, WALLET_HEADER};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{Endpoint, words};
use crate::reach::causes;
use crate::store::{Bytes, Root};

/// Longest time for all of a request, which has at most 16 MiB.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why a node should keep a blob.
#[derive(Clone, Copy)]
pub enum Reason<'a> {
    /// A wallet says now, in this slot of this cluster, that it is about to pay for it.
    Wallet {
        /// Who signs.
        wallet: &'a Keypair,
        /// Genesis hash of the chain.
        cluster: &'a Root,
        /// A slot seen just now.
        slot: u64,
    },
    /// A job on the chain names it as its input.
    Job(&'a Pubkey),
}

impl Endpoint {
    /// Uploads a blob.
    ///
    /// # Errors
    /// In words, which node and why.
    pub async fn upload(&self, root: &Root, bytes: Bytes, reason: Reason<'_>) -> Result<(), String> {
        let failed = |reason: &str| format!("{} did not take the request: {reason}", self.url);
        let client = self.client().map_err(|error| failed(&error))?;
        let put = client.put(self.at(&format!("blobs/{}", hex::encode(root)))).timeout(PATIENCE);
        let put = match reason {
            Reason::Job(job) => put.header(JOB_HEADER, job.to_string()),
            Reason::Wallet { wallet, cluster, slot } => {
                let len = bytes.len() as u64;
                let upload = Upload { cluster: *cluster, node: self.authority.to_bytes(), root: *root, len, slot };
                put.header(WALLET_HEADER, wallet.pubkey().to_string())
                    .header(SLOT_HEADER, slot)
                    .header(SIGNATURE_HEADER, wallet.sign_message(&upload.preimage()).to_string())
            }
        };
        let response = put.body(bytes).send().await.map_err(|error| failed(&causes(&error)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let said: String = words(response).await.unwrap_or_default().trim().chars().take(200).collect();
        Err(failed(format!("HTTP {} {said}", status.as_u16()).trim_end()))
    }
}
