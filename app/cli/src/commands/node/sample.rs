//! `provena node sample-config`: the node's own sample, filled in with what this command line knows.

use std::path::Path;

use anyhow::Result;
use provena_node::config::Config;

use crate::context::Context;

/// The commented sample with the chain, the wallet and the stores of this command line.
pub(super) fn sample(context: &Context<'_>) -> Result<String> {
    Ok(fill(Config::sample(), context.url(), &std::path::absolute(context.keypair_path())?, context.store_urls()))
}

fn fill(sample: &str, url: &str, key: &Path, stores: &[String]) -> String {
    let stores: Vec<String> = stores.iter().map(|store| format!("{store:?}")).collect();
    let line = |line: &str| {
        let name = line.trim_start_matches('#').split(' ').next();
        match name {
            Some("rpc_url") => format!("rpc_url = {url:?}"),
            Some("key") => format!("key = {:?}", key.display().to_string()),
            Some("urls") => format!("urls = [{}]", stores.join(", ")),
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
        let text = fill(Config::sample(), "http://127.0.0.1:9", Path::new("/keys/me.json"), &stores);
        let config = Config::parse(&text, [], Path::new("/etc/node.toml")).unwrap();
        assert_eq!(config.chain.rpc_url, "http://127.0.0.1:9");
        assert_eq!(config.node.key, Path::new("/keys/me.json"));
        assert_eq!(config.store.urls, stores);
        assert_eq!(text.lines().count(), Config::sample().lines().count());
    }
}
