//! A node's own HTTP address, where its receipts and responses can be fetched.

use std::time::Duration;

use provena_wire::receipt::{self, SignedReceipt};
use solana_pubkey::Pubkey;

use crate::store::{Bytes, Limits, Root, Store, StoreError};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest receipt that is read; a real one has about 1 KiB.
const MAX_RECEIPT: usize = 64 << 10;
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
        let usable = matches!(parsed.scheme(), "http" | "https") && parsed.has_host();
        usable.then(|| Self { authority, url: url.trim_end_matches('/').to_owned() })
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
        let failed = |reason: &dyn std::fmt::Display| format!("{} did not send its receipt: {reason}", self.url);
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(|error| failed(&error))?;
        let response =
            client.get(format!("{}/v1/receipts/{job}", self.url)).send().await.map_err(|error| failed(&error))?;
        if !response.status().is_success() {
            return Err(failed(&format!("HTTP {}", response.status())));
        }
        let mut response = response;
        let mut text = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
            text.extend_from_slice(&piece);
            if text.len() > MAX_RECEIPT {
                return Err(failed(&"it is too long"));
            }
        }
        let text = String::from_utf8(text).map_err(|error| failed(&error))?;
        receipt::parse(&text).map_err(|error| failed(&error))
    }
}
