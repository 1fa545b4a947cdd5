//! Where the node is served, and whether others reach it.

use std::net::{IpAddr, SocketAddr, TcpListener};

use provena_market::state::Node;
use provena_node::config::Config;
use provena_node::instance;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::finding::Findings;

/// Whether the port is free, or served by this node; the process's name then.
pub(super) async fn port(config: &Config, key: Option<&Keypair>, findings: &mut Findings) -> Option<String> {
    let listen = config.http.listen;
    if TcpListener::bind(listen).is_ok() {
        findings.ok("port", format!("{listen} is free: the node does not run"));
        return None;
    }
    let local = local(listen);
    match instance::who_answers(&format!("http://{local}")).await {
        Ok(who) if key.is_some_and(|key| key.pubkey().to_string() == who.node) => {
            findings.ok("port", format!("{listen} is served by this node"));
            Some(who.instance)
        }
        Ok(who) => {
            findings.fail(
                "port",
                format!("{listen} is served by the node {}", who.node),
                "choose another [http] listen",
            );
            None
        }
        Err(error) => {
            let advice = "stop the program that uses it, or choose another [http] listen";
            findings.fail("port", format!("{listen} is taken, and no node answers there: {error}"), advice);
            None
        }
    }
}

/// Where to ask for what listens on every address.
fn local(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(IpAddr::from([127, 0, 0, 1]), listen.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), listen.port()),
        _ => listen,
    }
}

/// Whether the address that the chain names leads here.
pub(super) async fn endpoint(config: &Config, node: &Node, running: Option<&str>, findings: &mut Findings) {
    const CHECK: &str = "endpoint";
    const CHANGE: &str = "provena node update --endpoint URL";
    let endpoint = node.endpoint();
    if endpoint.is_empty() {
        findings.fail(CHECK, "the chain names no address of this node: payers cannot fetch answers", CHANGE);
        return;
    }
    if is_here(endpoint) && !is_here(&config.chain.rpc_url) {
        let found = format!("{endpoint} leads nobody to this machine, and the chain is a public one");
        findings.fail(CHECK, found, CHANGE);
        return;
    }
    match (instance::who_answers(endpoint).await, running) {
        (Ok(who), _) if who.node != node.authority.to_string() => {
            findings.fail(CHECK, format!("the node {} answers at {endpoint}", who.node), CHANGE);
        }
        (Ok(who), Some(running)) if who.instance == running => {
            findings.ok(CHECK, format!("{endpoint} leads to this node"));
        }
        (Ok(_), _) => {
            let found = format!("another process with this node's key answers at {endpoint}");
            findings.fail(CHECK, found, "stop one of the two: one key must not sign in two places");
        }
        (Err(error), Some(_)) => {
            let advice = format!("open its port to the world, or: {CHANGE}");
            findings.fail(CHECK, format!("{endpoint} is not reached: {error}"), advice);
        }
        (Err(_), None) => {
            let advice = "provena node run --config FILE, and run this again";
            findings.warn(CHECK, format!("nobody answers at {endpoint}, and the node does not run"), advice);
        }
    }
}

/// Whether a URL names this machine.
fn is_here(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback() || ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names() {
        assert!(
            ["http://localhost:1", "http://127.0.0.2", "http://[::1]:8700", "http://0.0.0.0"]
                .iter()
                .all(|url| is_here(url))
        );
        assert!(!["https://node.example", "http://10.0.0.1", "nonsense"].iter().any(|url| is_here(url)));
    }
}
