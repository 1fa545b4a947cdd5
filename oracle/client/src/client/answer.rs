//! Fetching an agreed answer and its receipts, and checking them.

use std::time::{Duration, Instant};

use provena_wire::{Response, SignedReceipt};
use solana_pubkey::Pubkey;

use super::{Client, ClientError, Endpoint, Stage};
use crate::receipt::check_against;
use crate::store::Bytes;
use crate::view::JobView;

/// How long nodes may take to sign their receipts once the answer is there.
const RECEIPT_PATIENCE: Duration = Duration::from_secs(5);

/// The time between two questions to nodes.
const ASK_EVERY: Duration = Duration::from_millis(250);

impl Client {
    /// The answer to a job on which a quorum agreed, from the stores or from the nodes themselves, checked against the
    /// chain.
    ///
    /// # Errors
    /// [`ClientError::NoResult`] before the decision, or a store's.
    pub async fn response(&self, job: &JobView) -> Result<Response, ClientError> {
        let root = job.winner().ok_or(ClientError::NoResult)?.value;
        let bytes = match self.store.get(&root).await {
            Ok(bytes) => bytes,
            Err(error) => self.ask_nodes(job, &root).await.ok_or(error)?,
        };
        Ok(Response::from_bytes(&bytes)?)
    }

    /// As [`Client::response`], for a job that was decided just now: nodes publish an answer once they see that a quorum
    /// agreed with it. Where none hands it out, it is demanded on chain.
    ///
    /// # Errors
    /// [`ClientError::NoResult`] before the decision; [`ClientError::Response`] when the agreed bytes are no response;
    /// [`ClientError::Ended`] when a demanded answer does not come; [`ClientError::Withheld`]; [`ClientError::Chain`].
    pub async fn await_answer(
        &self,
        job: &JobView,
        progress: &mut (dyn FnMut(Stage) + Send),
    ) -> Result<Response, ClientError> {
        let begun = Instant::now();
        loop {
            match self.response(job).await {
                Err(ClientError::Store(error)) => {
                    if begun.elapsed() >= self.answer_patience {
                        tracing::warn!(job = %job.address, %error, "no node hands the answer out; demanding it");
                        return self.demanded_answer(&job.address, progress).await;
                    }
                }
                answer => return answer,
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    pub(super) async fn ask_nodes(&self, job: &JobView, root: &[u8; 32]) -> Option<Bytes> {
        for endpoint in self.endpoints(job).await {
            match endpoint.blob(root).await {
                Ok(bytes) => return Some(bytes),
                Err(error) => tracing::debug!(?error, "a node did not send the response"),
            }
        }
        None
    }

    /// Fetches the receipt of every node that agreed and checks each against its signature and the job.
    ///
    /// Returns the sound ones, and for the others which node and why.
    pub async fn receipts(&self, job: &JobView) -> (Vec<SignedReceipt>, Vec<(Pubkey, String)>) {
        let (mut sound, mut missing) = (Vec::new(), Vec::new());
        let cluster = match self.chain.cluster().await {
            Ok(cluster) => cluster,
            Err(error) => return (sound, job.agreeing().map(|node| (node, error.to_string())).collect()),
        };
        let endpoints = self.endpoints(job).await;
        for node in job.agreeing() {
            let Some(endpoint) = endpoints.iter().find(|endpoint| endpoint.authority == node) else {
                missing.push((node, "it has no HTTP address".to_owned()));
                continue;
            };
            let checked = endpoint.receipt(&job.address).await.and_then(|receipt| {
                receipt.verify().map_err(|error| error.to_string())?;
                check_against(&receipt, &cluster, job).map_err(|error| error.to_string())?;
                Ok(receipt)
            });
            match checked {
                Ok(receipt) if receipt.node == node.to_string() => sound.push(receipt),
                Ok(_) => missing.push((node, "it sent another node's receipt".to_owned())),
                Err(reason) => missing.push((node, reason)),
            }
        }
        (sound, missing)
    }

    /// As [`Client::receipts`], with a moment's patience: a node signs after it has published.
    pub(super) async fn await_receipts(&self, job: &JobView) -> (Vec<SignedReceipt>, Vec<(Pubkey, String)>) {
        let begun = Instant::now();
        loop {
            let (sound, missing) = self.receipts(job).await;
            let hopeless = self.endpoints(job).await.is_empty();
            if missing.is_empty() || hopeless || begun.elapsed() >= RECEIPT_PATIENCE {
                return (sound, missing);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// The HTTP addresses of the nodes that agreed.
    async fn endpoints(&self, job: &JobView) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for authority in job.agreeing() {
            if let Ok(node) = self.node(&authority).await
                && let Some(endpoint) = Endpoint::new(authority, node.endpoint())
            {
                endpoints.push(endpoint);
            }
        }
        endpoints
    }
}
