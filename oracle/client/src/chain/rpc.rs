//! The connection to a cluster's RPC server.

use std::sync::Arc;
use std::time::Duration;

use solana_client::client_error::ClientError;
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_commitment_config::{CommitmentConfig, CommitmentLevel};
use solana_message::AddressLookupTableAccount;

use super::batch::Batch;
use super::connection::Connection;
use super::genesis::Care;
use super::{Budget, ChainError};
use crate::reach::Reach;

/// How to reach a cluster.
#[derive(Debug, Clone)]
pub struct RpcOptions {
    /// HTTP(S) URL of the JSON-RPC server.
    pub rpc_url: String,
    /// WebSocket URL for subscriptions; `None` derives it from `rpc_url` as Solana's tools do (port + 1).
    pub ws_url: Option<String>,
    /// How final an answer must be. `Confirmed` is what this project uses throughout.
    pub commitment: CommitmentLevel,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// How often a read that got no answer is repeated at once, before the error is returned.
    pub retries: u32,
}

impl RpcOptions {
    /// The defaults for `rpc_url`.
    #[must_use]
    pub fn new(rpc_url: impl Into<String>) -> Self {
        Self {
            rpc_url: rpc_url.into(),
            ws_url: None,
            commitment: CommitmentLevel::Confirmed,
            timeout: Duration::from_secs(20),
            retries: 3,
        }
    }
}

/// A cluster reached through JSON-RPC and, for hints, WebSocket. Implements both chain traits.
pub struct RpcChain {
    pub(super) connection: Arc<Connection>,
    /// Many who need to know at once whether the chain is still the same ask only once.
    pub(super) comparing: Batch<Care, ()>,
    pub(super) ws_url: String,
    pub(super) lookup_tables: Vec<AddressLookupTableAccount>,
    pub(super) budget: Budget,
    /// How far the addresses of nodes may lead, if that was chosen.
    pub(super) reach: Option<Reach>,
    retries: u32,
}

impl RpcChain {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ChainError::BadUrl`] when a URL is not http(s) or ws(s).
    pub fn new(options: &RpcOptions) -> Result<Self, ChainError> {
        let ws_url = match &options.ws_url {
            Some(url) => checked(url, &["ws", "wss"])?,
            None => websocket_url(&options.rpc_url)?,
        };
        let rpc_url = checked(&options.rpc_url, &["http", "https"])?;
        let commitment = CommitmentConfig { commitment: options.commitment };
        let client = RpcClient::new_with_timeout_and_commitment(rpc_url, options.timeout, commitment);
        let connection = Arc::new(Connection::new(client));
        Ok(Self {
            comparing: Connection::comparing(&connection),
            connection,
            ws_url,
            lookup_tables: Vec::new(),
            budget: Budget::default(),
            reach: None,
            retries: options.retries,
        })
    }

    /// Sets what transactions offer, see [`super::ChainSubmitter::budget`].
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets how far the addresses of nodes may lead; else that goes by the chain, see [`Reach::of_chain`].
    #[must_use]
    pub fn with_reach(mut self, reach: Reach) -> Self {
        self.reach = Some(reach);
        self
    }

    /// Lets transactions that would be too long use these tables, see [`super::lookup::fetch`].
    #[must_use]
    pub fn with_lookup_tables(mut self, tables: Vec<AddressLookupTableAccount>) -> Self {
        self.lookup_tables = tables;
        self
    }

    /// The RPC server's URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.connection.client.url()
    }

    /// The client itself, for the few requests that only one tool needs.
    #[must_use]
    pub fn rpc(&self) -> &RpcClient {
        &self.connection.client
    }

    /// Asks once, and again after short delays while there is no answer. For reads only.
    pub(super) async fn ask<T, F>(&self, question: impl FnMut() -> F) -> Result<T, ChainError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        self.ask_with(Care::Read, question).await
    }

    /// As [`RpcChain::ask`], from the chain that was met first.
    pub(super) async fn ask_with<T, F>(&self, care: Care, mut question: impl FnMut() -> F) -> Result<T, ChainError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let mut backoff = super::Backoff::new(Duration::from_millis(150), Duration::from_secs(2));
        loop {
            let answer = match self.same_chain(care).await {
                Ok(()) => self.connection.note(question().await),
                Err(error) => Err(error),
            };
            match answer {
                Err(error @ ChainError::Unreachable { .. }) if backoff.failures() < self.retries => {
                    tracing::debug!(?error, "asking again");
                    tokio::time::sleep(backoff.failed()).await;
                }
                answer => return answer,
            }
        }
    }
}

fn checked(url: &str, schemes: &[&str; 2]) -> Result<String, ChainError> {
    let bad = |reason: String| ChainError::BadUrl { url: url.to_owned(), reason };
    let [plain, _] = schemes;
    let scheme = || bad(format!("it must start with {}://, as in {plain}://127.0.0.1:8899", schemes.join(":// or ")));
    match reqwest::Url::parse(url) {
        Ok(parsed) if schemes.contains(&parsed.scheme()) && parsed.has_host() => Ok(url.to_owned()),
        Err(error) if url.contains("://") => Err(bad(error.to_string())),
        _ => Err(scheme()),
    }
}

/// The WebSocket URL that belongs to an RPC URL: same host, scheme ws(s), port + 1 where a port is written.
///
/// # Errors
/// [`ChainError::BadUrl`] when `rpc_url` is not http(s).
pub fn websocket_url(rpc_url: &str) -> Result<String, ChainError> {
    checked(rpc_url, &["http", "https"])?;
    let bad = |reason: &str| ChainError::BadUrl { url: rpc_url.to_owned(), reason: reason.to_owned() };
    let mut url = reqwest::Url::parse(rpc_url).map_err(|error| bad(&error.to_string()))?;
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    if let Some(port) = url.port() {
        let port = port.checked_add(1).ok_or_else(|| bad("its port leaves no room for the WebSocket port"))?;
        url.set_port(Some(port)).map_err(|()| bad("it cannot have a port"))?;
    }
    url.set_scheme(scheme).map_err(|()| bad("its scheme cannot be replaced"))?;
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn websocket_url_follows_the_rpc_url() {
        assert_eq!(websocket_url("http://127.0.0.1:8899").unwrap(), "ws://127.0.0.1:8900/");
        assert_eq!(websocket_url("https://rpc.example/key").unwrap(), "wss://rpc.example/key");
        assert!(matches!(websocket_url("http://127.0.0.1:65535"), Err(ChainError::BadUrl { .. })));
        assert!(matches!(websocket_url("ftp://127.0.0.1"), Err(ChainError::BadUrl { .. })));
        assert!(matches!(websocket_url("localhost:8899"), Err(ChainError::BadUrl { .. })));
    }
}
