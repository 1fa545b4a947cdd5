//! `provena node sample-config`: the node's own sample, filled in with what this command line knows.

use std::{path::Path, time::Duration};

use anyhow::Result;
use provena_client::keys;
use provena_node::config::Config;
use solana_signer::Signer as _;

use super::account;
use crate::context::Context;

/// Longest wait for a chain that may know the node's endpoint.
const PATIENCE: Duration = Duration::from_secs(5);

/// The commented sample with the chain, the wallet and the stores of this command line, and the port of the wallet's node where
/// the chain knows it.
pub(super) async fn sample(context: &Context<'_>) -> Result<String> {
    let port = tokio::time::timeout(PATIENCE, port(context)).await.ok().flatten();
    let key = std::path::absolute(context.keypair_path())?;
    Ok(fill(Config::sample(), context.url(), &key, context.store_urls(), port))
}

/// The port of the registered endpoint, where that is one of plain HTTP: before HTTPS there is a proxy with a port of its own.
async fn port(context: &Context<'_>) -> Option<u16> {
    let wallet = keys::read(context.keypair_path()).ok()?.pubkey();
    let node = account::find(&context.chain().ok()?, &wallet).await.ok().flatten()?;
    let endpoint = node.endpoint();
    account::port_of(endpoint).filter(|_| endpoint.starts_with("http://"))
}

fn fill(sample: &str, url: &str, key: &Path, stores: &[String], port: Option<u16>) -> String {
    let stores: Vec<String> = stores.iter().map(|store| format!("{store:?}")).collect();
    let line = |line: &str| {
        let name = line.trim_start_matches('#').split(' ').next();
        match name {
            Some("rpc_url") => format!("rpc_url = {url:?}"),
            Some("key") => format!("key = {:?}", key.display().to_string()),
            Some("urls") => format!("urls = [{}]", stores.join(", ")),
            Some("listen") => match port {
                Some(port) => line.replace(":8700", &format!(":{port}")),
                None => line.to_owned(),
            },
            _ => line.to_owned(),
        }
    };
    sample.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filled_sample_is_a_config_with_those_values() {
        let stores = ["file:///srv/provena".to_owned(), "http://127.0.0.1:8700/v1".to_owned()];
        let text = fill(Config::sample(), "http://127.0.0.1:9", Path::new("/keys/me.json"), &stores, Some(8701));
        let config = Config::parse(&text, [], Path::new("/etc/node.toml")).unwrap();
        assert_eq!(config.chain.rpc_url, "http://127.0.0.1:9");
        assert_eq!(config.node.key, Path::new("/keys/me.json"));
        assert_eq!(config.store.urls, stores);
        assert_eq!(config.http.listen.port(), 8701, "that of the registered endpoint");
        assert_eq!(text.lines().count(), Config::sample().lines().count());
    }
}
