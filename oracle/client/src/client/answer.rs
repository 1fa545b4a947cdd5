//! Fetching a settled job's answer and receipts, and checking them.

use provena_market::state::Job;
use provena_wire::{Response, SignedReceipt};
use solana_pubkey::Pubkey;

use super::{Client, ClientError, Endpoint};
use crate::receipt::check_against;

impl Client {
    /// The answer to a settled job, from the stores or from the nodes themselves, checked against the chain.
    ///
    /// # Errors
    /// [`ClientError::NoResult`] before the settlement, or a store's.
    pub async fn response(&self, job: &Job) -> Result<Response, ClientError> {
        if job.result_root == [0; 32] {
            return Err(ClientError::NoResult);
        }
        let bytes = match self.store.get(&job.result_root).await {
            Ok(bytes) => bytes,
            Err(error) => self.ask_nodes(job).await.ok_or(error)?,
        };
        Ok(Response::from_bytes(&bytes)?)
    }

    async fn ask_nodes(&self, job: &Job) -> Option<crate::store::Bytes> {
        for endpoint in self.endpoints(job).await {
            match endpoint.blob(&job.result_root).await {
                Ok(bytes) => return Some(bytes),
                Err(error) => tracing::debug!(?error, "a node did not send the response"),
            }
        }
        None
    }

    /// Fetches every node's receipt for a settled job and checks each against its signature and the job.
    ///
    /// Returns the sound ones, and for the others which node and why.
    pub async fn receipts(&self, address: &Pubkey, job: &Job) -> (Vec<SignedReceipt>, Vec<(Pubkey, String)>) {
        let (mut sound, mut missing) = (Vec::new(), Vec::new());
        for endpoint in self.endpoints(job).await {
            let checked = endpoint.receipt(address).await.and_then(|receipt| {
                receipt.verify().map_err(|error| error.to_string())?;
                check_against(&receipt, address, job, None).map_err(|error| error.to_string())?;
                Ok(receipt)
            });
            match checked {
                Ok(receipt) if receipt.node == endpoint.authority.to_string() => sound.push(receipt),
                Ok(_) => missing.push((endpoint.authority, "it sent another node's receipt".to_owned())),
                Err(reason) => missing.push((endpoint.authority, reason)),
            }
        }
        (sound, missing)
    }

    async fn endpoints(&self, job: &Job) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for authority in job.nodes.iter().filter(|authority| **authority != Pubkey::default()) {
            if let Ok(node) = self.node(authority).await
                && let Some(endpoint) = Endpoint::new(*authority, node.endpoint())
            {
                endpoints.push(endpoint);
            }
        }
        endpoints
    }
}
