//! A node's own HTTP address, where it quotes, takes requests, and hands out receipts and responses.

mod blob;
mod quote;
mod upload;

use std::fmt::Display;
use std::time::Duration;

use provena_market::state::Node;
use provena_wire::receipt::{self, SignedReceipt};
use reqwest::{Client, Response, redirect::Policy};
use solana_pubkey::Pubkey;

use crate::chain::accounts::{ProgramAccount, list};
use crate::chain::{ChainError, ChainReader};
use crate::store::{Bytes, Limits, Root, Store, StoreError};

pub use quote::Reply;
pub(super) use upload::Reason;

/// Longest wait for a node's next piece, and for a short answer as a whole.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest short answer that is read: a receipt has about 1 KiB.
const MAX_WORDS: usize = 64 << 10;
/// Longest response that is read.
const MAX_RESPONSE: u64 = 256 << 20;

/// Where a node says it serves HTTP.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The node's authority.
    pub authority: Pubkey,
    url: String,
}

impl Endpoint {
    /// `None` when the node names no usable URL.
    #[must_use]
    pub fn new(authority: Pubkey, url: &str) -> Option<Self> {
        let parsed = reqwest::Url::parse(url).ok()?;
        // A path of its own is all that an address may have: no query that swallows ours, no name and password.
        let plain = !url.contains(['?', '#', '@']);
        let usable = matches!(parsed.scheme(), "http" | "https") && parsed.has_host() && plain;
        usable.then(|| Self { authority, url: url.trim_end_matches('/').to_owned() })
    }

    /// Those of all registered nodes, the ones that have agreed with others most often first.
    ///
    /// # Errors
    /// The chain cannot be read.
    pub async fn all<C: ChainReader + ?Sized>(chain: &C) -> Result<Vec<Self>, ChainError> {
        let mut nodes: Vec<(Pubkey, Node)> = list(chain, &Node::filter()).await?;
        nodes.sort_by_key(|(address, node)| (std::cmp::Reverse(node.agreed), *address));
        Ok(nodes.into_iter().filter_map(|(_, node)| Self::new(node.authority, node.endpoint())).collect())
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
        let limits = Limits { max_blob: MAX_RESPONSE, timeout: TIMEOUT };
        Store::open_with(&[format!("{}/v1", self.url)], limits)?.get(root).await
    }

    /// The node's receipt for a job; neither its signature nor its fields are checked yet.
    ///
    /// # Errors
    /// In words, which node and why.
    pub async fn receipt(&self, job: &Pubkey) -> Result<SignedReceipt, String> {
        let failed = |reason: &dyn Display| format!("{} did not send its receipt: {reason}", self.url);
        let request = client(TIMEOUT).map_err(|error| failed(&error))?.get(self.at(&format!("receipts/{job}")));
        let response = request.send().await.map_err(|error| failed(&causes(&error)))?;
        if !response.status().is_success() {
            return Err(failed(&format!("HTTP {}", response.status())));
        }
        let text = words(response).await.map_err(|error| failed(&error))?;
        receipt::parse(&text).map_err(|error| failed(&error))
    }

    fn at(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.url)
    }
}

/// A client that goes where it is sent and nowhere else, and gives up after `timeout` altogether.
fn client(timeout: Duration) -> Result<Client, reqwest::Error> {
    Client::builder().connect_timeout(TIMEOUT).timeout(timeout).redirect(Policy::none()).build()
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

/// What went wrong, with what is behind it: the transport's own words alone say little.
fn causes(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    if error.is_connect() {
        return "nothing answers there".to_owned();
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
