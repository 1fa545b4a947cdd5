//! A node's own HTTP address, where it quotes, takes requests, and hands out receipts and responses.

mod blob;
mod quote;
mod upload;

use std::cmp::Reverse;
use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use provena_market::state::Node;
use provena_wire::receipt::{self, SignedReceipt};
use reqwest::{Client, Response};
use solana_pubkey::Pubkey;

use crate::chain::accounts::{ProgramAccount, list};
use crate::chain::{ChainError, ChainReader};
use crate::reach::{Reach, causes};
use crate::store::{Bytes, Limits, Root, Store, StoreError};

pub use quote::Reply;
pub(super) use upload::Reason;

/// Longest wait for a node's next piece, and for a short answer as a whole.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest short answer that is read: a receipt has about 1 KiB.
const MAX_WORDS: usize = 64 << 10;
/// Longest response that is read.
const MAX_RESPONSE: u64 = 256 << 20;

/// The most nodes that are asked for anything, whoever registers.
const MOST_NAMED: usize = 64;
/// Nodes that are asked first because of what they did and what they have at stake.
const OF_MERIT: usize = 4;
/// Slots, about a day, within which a node took its last seat that is at work.
const AT_WORK: u64 = 216_000;

/// Where a node says it serves HTTP. That is a stranger's word: it is called only as far as it may lead.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The node's authority.
    pub authority: Pubkey,
    url: String,
    reach: Reach,
}

impl Endpoint {
    /// `None` when the node names no usable URL. Whether it may be called is seen when it is, because a name must be looked up.
    #[must_use]
    pub fn new(authority: Pubkey, url: &str, reach: Reach) -> Option<Self> {
        let parsed = reqwest::Url::parse(url).ok()?;
        // A path of its own is all that an address may have: no query that swallows ours, no name and password.
        let plain = !url.contains(['?', '#', '@']);
        let usable = matches!(parsed.scheme(), "http" | "https") && parsed.has_host() && plain;
        usable.then(|| Self { authority, url: url.trim_end_matches('/').to_owned(), reach })
    }

    /// Those of registered nodes, in the order in which they should be asked: a few that have done and staked most first, the
    /// others by chance.
    ///
    /// # Errors
    /// The chain cannot be read.
    pub async fn likeliest<C: ChainReader + ?Sized>(chain: &C) -> Result<Vec<Self>, ChainError> {
        let (nodes, reach) = (likeliest(chain).await?, chain.reach().await?);
        Ok(nodes.into_iter().filter_map(|node| Self::new(node.authority, node.endpoint(), reach)).collect())
    }

    /// The address, which is a stranger's text.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A blob, checked against its root.
    ///
    /// # Errors
    /// The store's.
    pub async fn blob(&self, root: &Root) -> Result<Bytes, StoreError> {
        self.store(MAX_RESPONSE)?.get(root).await
    }

    /// The node's receipt for a job; neither its signature nor its fields are checked yet.
    ///
    /// # Errors
    /// In words, which node and why.
    pub async fn receipt(&self, job: &Pubkey) -> Result<SignedReceipt, String> {
        let failed = |reason: &dyn Display| format!("{} did not send its receipt: {reason}", self.url);
        let client = self.client().map_err(|error| failed(&error))?;
        let request = client.get(self.at(&format!("receipts/{job}"))).timeout(TIMEOUT);
        let response = request.send().await.map_err(|error| failed(&causes(&error)))?;
        if !response.status().is_success() {
            return Err(failed(&format!("HTTP {}", response.status())));
        }
        let text = words(response).await.map_err(|error| failed(&error))?;
        receipt::parse(&text).map_err(|error| failed(&error))
    }

    /// A client that goes where it may and nowhere else.
    fn client(&self) -> Result<&'static Client, String> {
        self.reach.client(&self.url)
    }

    /// The node's blobs; each piece must come within [`TIMEOUT`].
    fn store(&self, max_blob: u64) -> Result<Store, StoreError> {
        Store::open_strangers(&format!("{}/v1", self.url), self.reach, Limits { max_blob, timeout: TIMEOUT })
    }

    fn at(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.url)
    }
}

/// Registered nodes, at most [`MOST_NAMED`], in the order in which they are asked: a few of merit, who took a seat lately and have
/// most at stake, and then all others by chance. So whoever puts money down is asked first, and cannot keep the others out.
pub(super) async fn likeliest<C: ChainReader + ?Sized>(chain: &C) -> Result<Vec<Node>, ChainError> {
    let nodes: Vec<(Pubkey, Node)> = list(chain, &Node::filter()).await?;
    let mut nodes: Vec<Node> = nodes.into_iter().map(|(_, node)| node).collect();
    order(&mut nodes);
    if let Some(others) = nodes.get_mut(OF_MERIT..) {
        let chance = RandomState::new();
        others.sort_by_cached_key(|node| chance.hash_one(node.authority));
    }
    nodes.truncate(MOST_NAMED);
    Ok(nodes)
}

/// Who took a seat lately before who did not, then who has more at stake.
fn order(nodes: &mut [Node]) {
    // The newest seat of all tells the time well enough, and nobody can take one in the future.
    let newest = nodes.iter().map(|node| node.leased_at).max().unwrap_or_default();
    let at_work = |node: &Node| node.leased_at != 0 && newest - node.leased_at < AT_WORK;
    nodes.sort_by_key(|node| (Reverse(at_work(node)), Reverse(node.stake), node.authority));
}

/// The text of a short answer.
async fn words(mut response: Response) -> Result<String, String> {
    let mut text = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| causes(&error))? {
        text.extend_from_slice(&piece);
        if text.len() > MAX_WORDS {
            return Err("it is too long".to_owned());
        }
    }
    String::from_utf8(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_at_work_is_asked_before_who_only_put_money_down() {
        let node = |name: u8, stake: u64, leased_at: u64| {
            let mut node: Node = bytemuck::Zeroable::zeroed();
            (node.authority, node.stake, node.leased_at) = (Pubkey::new_from_array([name; 32]), stake, leased_at);
            node
        };
        let mut nodes = vec![
            node(1, 900, 0),
            node(2, 10, 1_000_000),
            node(3, 30, 1_000_000 - AT_WORK + 1),
            node(4, 500, 1_000_000 - AT_WORK),
            node(5, 30, 999_999),
        ];
        order(&mut nodes);
        assert_eq!(nodes.iter().map(|node| node.authority.to_bytes()[0]).collect::<Vec<_>>(), [3, 5, 2, 1, 4]);
    }
}
