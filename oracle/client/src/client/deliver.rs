//! Bringing a request to the nodes that are to answer it.

use std::time::Duration;

use futures_util::future::join_all;
use solana_pubkey::Pubkey;

use super::endpoint::Reason;
use super::{Client, ClientError, Endpoint};
use crate::store::{Bytes, Root};

/// The most nodes that are sent a request.
const MOST_NODES: usize = 16;
/// How often a node is tried once the job is posted: its server may see the job a little later than ours.
const ATTEMPTS: u32 = 8;
/// Time between two attempts.
const TRY_EVERY: Duration = Duration::from_millis(750);

/// Nodes that have a request, and those that do not, with the reason in words.
#[derive(Debug, Clone, Default)]
pub struct Delivered {
    /// Those that took it.
    pub there: Vec<Endpoint>,
    /// Those that did not.
    pub missing: Vec<(Endpoint, String)>,
}

impl Client {
    /// Sends a request to nodes before its job exists, on the word of the wallet.
    ///
    /// # Errors
    /// The chain cannot be read. That a node does not take it is no error.
    pub async fn deliver(&self, nodes: &[Endpoint], root: &Root, input: &Bytes) -> Result<Delivered, ClientError> {
        let cluster = self.chain.cluster().await?;
        let slot = self.chain.slot().await?;
        let reason = Reason::Wallet { wallet: &self.payer, cluster: &cluster, slot };
        Ok(send(nodes, root, input, reason).await)
    }

    /// Sends a request to nodes on the strength of its job, which is on the chain; gives up on a node after some seconds.
    pub async fn deliver_for(&self, nodes: Vec<Endpoint>, job: &Pubkey, root: &Root, input: &Bytes) -> Delivered {
        let mut all = Delivered::default();
        let mut left = nodes;
        for attempt in 1..=ATTEMPTS {
            let Delivered { there, missing } = send(&left, root, input, Reason::Job(job)).await;
            all.there.extend(there);
            if missing.is_empty() || attempt == ATTEMPTS {
                all.missing = missing;
                break;
            }
            left = missing.into_iter().map(|(node, _)| node).collect();
            tokio::time::sleep(TRY_EVERY).await;
        }
        all
    }
}

async fn send(nodes: &[Endpoint], root: &Root, input: &Bytes, reason: Reason<'_>) -> Delivered {
    let each = nodes.iter().take(MOST_NODES).map(async |node| node.upload(root, input.clone(), reason).await);
    let mut delivered = Delivered::default();
    for (node, sent) in nodes.iter().zip(join_all(each).await) {
        match sent {
            Ok(()) => delivered.there.push(node.clone()),
            Err(why) => {
                tracing::debug!(node = %node.authority, why, "a node did not take the request");
                delivered.missing.push((node.clone(), why));
            }
        }
    }
    delivered
}
