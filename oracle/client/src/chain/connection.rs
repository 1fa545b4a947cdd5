//! What is said to the RPC server and what comes of it: answers, errors in our terms, how well it does.

use std::sync::Arc;

use solana_client::client_error::{ClientError, ClientErrorKind};
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_client::rpc_request::{RpcError, RpcResponseErrorData};

use super::genesis::Genesis;
use super::{ChainError, Health, Rejection};

/// A server and what was seen of it. Shared with requests that outlive whoever made them.
pub(super) struct Connection {
    pub(super) client: RpcClient,
    pub(super) health: Arc<Health>,
    pub(super) genesis: Genesis,
}

impl Connection {
    pub(super) fn new(client: RpcClient) -> Self {
        let health = Arc::new(Health::of(server(&client.url())));
        Self { client, health, genesis: Genesis::default() }
    }

    /// Counts an answer in the health state and puts its error into our terms.
    pub(super) fn note<T>(&self, answer: Result<T, ClientError>) -> Result<T, ChainError> {
        match answer {
            Ok(value) => {
                self.health.succeeded();
                Ok(value)
            }
            Err(error) => {
                let error = self.classify(error);
                match &error {
                    ChainError::Unreachable { reason, .. } => {
                        self.genesis.suspect();
                        self.health.failed(&without_urls(reason));
                    }
                    _ => self.health.succeeded(),
                }
                Err(error)
            }
        }
    }

    fn classify(&self, error: ClientError) -> ChainError {
        let url = self.client.url();
        if let Some(cause) = error.get_transaction_error() {
            return ChainError::Rejected(Box::new(Rejection::explain(None, cause, &[], logs_of(&error))));
        }
        match error.kind() {
            ClientErrorKind::RpcError(RpcError::RpcResponseError { code, message, .. }) => {
                ChainError::Rpc { url, reason: format!("{message} (code {code})") }
            }
            ClientErrorKind::RpcError(RpcError::ForUser(text) | RpcError::RpcRequestError(text)) => {
                ChainError::Rpc { url, reason: text.clone() }
            }
            ClientErrorKind::Reqwest(error) => ChainError::Unreachable { url, reason: transport(error) },
            other => ChainError::Unreachable { url, reason: chain_of(other) },
        }
    }
}

/// The program logs that a failed preflight carries.
fn logs_of(error: &ClientError) -> Vec<String> {
    match error.kind() {
        ClientErrorKind::RpcError(RpcError::RpcResponseError {
            data: RpcResponseErrorData::SendTransactionPreflightFailure(result),
            ..
        }) => result.logs.clone().unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Why a request was not answered, without what every such error begins with.
fn transport(error: &reqwest::Error) -> String {
    if let Some(status) = error.status() {
        return format!("something else does, with {status}");
    }
    if error.is_timeout() {
        return "not in time".to_owned();
    }
    if !error.is_connect() {
        return chain_of(error);
    }
    let innermost = std::iter::successors(std::error::Error::source(error), |error| error.source()).last();
    innermost.map_or_else(|| chain_of(error), ToString::to_string)
}

/// An error with its causes in one line: the transport's outermost text alone ("error sending request") says nothing.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

/// A text in which every URL is replaced by its server, so that it can be shown to anybody.
fn without_urls(text: &str) -> String {
    let word = |word: &str| match word.find("://") {
        Some(_) => {
            let url = word.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
            server(url.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric()))
        }
        None => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The server of a URL, without what may be a secret: a provider's key is often in path or query.
fn server(url: &str) -> String {
    let parsed = reqwest::Url::parse(url).ok();
    let host = parsed.as_ref().and_then(|url| url.host_str());
    let port = parsed.as_ref().and_then(reqwest::Url::port).map(|port| format!(":{port}")).unwrap_or_default();
    host.map(|host| format!("{host}{port}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_a_providers_key() {
        assert_eq!(server("https://user:secret@rpc.example/v2/secret?api-key=secret"), "rpc.example");
        assert_eq!(server("http://[::1]:8899"), "[::1]:8899");
        let text = "error sending request for url (https://rpc.example:1/?api-key=secret): refused";
        assert_eq!(without_urls(text), "error sending request for url rpc.example:1 refused");
    }
}
