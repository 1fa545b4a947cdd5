//! Fetching receipts, and checking each.

use std::time::{Duration, Instant};

use provena_wire::SignedReceipt;
use solana_pubkey::Pubkey;

use super::{Client, Endpoint};
use crate::chain::ChainError;
use crate::chain::history::PastInstruction;
use crate::receipt::{check_against, check_history, statements};
use crate::view::JobView;

/// How long nodes may take to sign their receipts once the answer is there.
const PATIENCE: Duration = Duration::from_secs(5);

/// The time between two questions to nodes.
const ASK_EVERY: Duration = Duration::from_millis(250);

impl Client {
    /// Fetches the receipt of every node that agreed, unless it is kept here, and checks each against its signature and the
    /// job.
    ///
    /// Returns the sound ones, and for the others which node and why.
    pub async fn receipts(&self, job: &JobView) -> (Vec<SignedReceipt>, Vec<(Pubkey, String)>) {
        let nodes: Vec<Pubkey> = job.agreeing().collect();
        self.receipts_of(&job.address, &nodes, |receipt, cluster| {
            check_against(receipt, cluster, job).map_err(|error| error.to_string())
        })
        .await
    }

    /// As [`Client::receipts`], for a job that is closed: each is checked against the transactions that named the job.
    pub async fn receipts_of_closed(
        &self,
        job: &Pubkey,
        past: &[PastInstruction],
    ) -> (Vec<SignedReceipt>, Vec<(Pubkey, String)>) {
        let mut nodes: Vec<Pubkey> = statements(job, past).into_iter().map(|stated| stated.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        self.receipts_of(job, &nodes, |receipt, cluster| {
            check_history(receipt, cluster, past).map(drop).map_err(|error| error.to_string())
        })
        .await
    }

    async fn receipts_of(
        &self,
        job: &Pubkey,
        nodes: &[Pubkey],
        check: impl Fn(&SignedReceipt, &[u8; 32]) -> Result<(), String>,
    ) -> (Vec<SignedReceipt>, Vec<(Pubkey, String)>) {
        let (mut sound, mut missing) = (Vec::new(), Vec::new());
        let cluster = match self.chain.cluster().await {
            Ok(cluster) => cluster,
            Err(error) => return (sound, nodes.iter().map(|node| (*node, error.to_string())).collect()),
        };
        let kept = self.jobs.as_ref().and_then(|jobs| jobs.get(job).ok().flatten());
        let kept = kept.map(|record| record.receipts).unwrap_or_default();
        for node in nodes {
            // What is here already needs no node.
            let here = kept.iter().find(|receipt| receipt.node == node.to_string());
            if let Some(receipt) = here.filter(|receipt| receipt.verify().is_ok() && check(receipt, &cluster).is_ok()) {
                sound.push(receipt.clone());
                continue;
            }
            let endpoint = match self.endpoint_of(node).await {
                Ok(endpoint) => endpoint,
                Err(reason) => {
                    missing.push((*node, reason));
                    continue;
                }
            };
            let checked = endpoint.receipt(job).await.and_then(|receipt| {
                receipt.verify().map_err(|error| error.to_string())?;
                check(&receipt, &cluster)?;
                Ok(receipt)
            });
            match checked {
                Ok(receipt) if receipt.node == node.to_string() => sound.push(receipt),
                Ok(_) => missing.push((*node, "it sent another node's receipt".to_owned())),
                Err(reason) => missing.push((*node, reason)),
            }
        }
        (sound, missing)
    }

    /// As [`Client::receipts`], with a moment's patience: a node signs after it has published.
    pub(super) async fn await_receipts(&self, job: &JobView) -> (Vec<SignedReceipt>, Vec<(Pubkey, String)>) {
        let begun = Instant::now();
        let nodes: Vec<Pubkey> = job.agreeing().collect();
        loop {
            let (sound, missing) = self.receipts(job).await;
            let hopeless = self.endpoints(&nodes).await.is_empty();
            if missing.is_empty() || hopeless || begun.elapsed() >= PATIENCE {
                return (sound, missing);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// The HTTP addresses of nodes.
    pub async fn endpoints(&self, nodes: &[Pubkey]) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for authority in nodes {
            endpoints.extend(self.endpoint_of(authority).await);
        }
        endpoints
    }

    /// The HTTP address of a node, or why there is none, in words: a chain that does not answer is no node without an address.
    async fn endpoint_of(&self, authority: &Pubkey) -> Result<Endpoint, String> {
        let node = match self.node(authority).await {
            Ok(node) => node,
            Err(ChainError::Missing { .. }) => return Err("it is not registered any more".to_owned()),
            Err(error) => return Err(format!("its address cannot be read from the chain: {error}")),
        };
        let unknown = |error| format!("it is not known how far its address may lead: {error}");
        let endpoint = Endpoint::new(*authority, node.endpoint(), self.chain.reach().await.map_err(unknown)?);
        endpoint.ok_or_else(|| "it names no address that HTTP reaches".to_owned())
    }
}
