//! Where the node is served, and whether others reach it.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use provena_client::{
    chain::{ChainReader, clusters},
    reach::Reach,
};
use provena_market::state::Node;
use provena_node::config::Config;
use provena_node::instance;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::net::TcpStream;

use super::finding::Findings;
use crate::commands::node::account::other_port;

const CHECK: &str = "endpoint";
const CHANGE: &str = "provena node update --endpoint URL";

/// Longest wait for a name's addresses, and for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// Whether the address that the chain names leads here: its name, its port, and who answers. All of it is seen from this
/// machine; what lies between it and strangers, only a machine elsewhere can tell.
pub(super) async fn endpoint(
    config: &Config,
    chain: &impl ChainReader,
    node: &Node,
    running: Option<&str>,
    findings: &mut Findings,
) {
    let endpoint = node.endpoint();
    if endpoint.is_empty() {
        findings.fail(CHECK, "the chain names no address of this node: payers cannot fetch answers", CHANGE);
        return;
    }
    let world = is_world(&config.chain.rpc_url, chain.cluster().await.ok());
    if is_here(endpoint) && world {
        let found = format!("{endpoint} leads nobody to this machine, and the chain is a public one");
        findings.fail(CHECK, found, CHANGE);
        return;
    }
    let addresses = match addresses(endpoint).await {
        Ok(addresses) => addresses,
        Err(reason) => {
            findings.fail(CHECK, format!("{endpoint}: {reason}"), format!("mend the name, or: {CHANGE}"));
            return;
        }
    };
    if world && let Some(private) = all_private(&addresses) {
        let found = format!("{endpoint} is {private} for this machine, which nobody outside its network reaches");
        findings.fail(CHECK, found, CHANGE);
        return;
    }
    if let (Err(error), Some(_)) = (connects(&addresses).await, running) {
        let found = format!("{endpoint} takes no connection at {}: {error}", listed(&addresses));
        let advice = match other_port(endpoint, config.http.listen) {
            Some(words) => unlike(&words),
            None => closed(config.http.listen),
        };
        findings.fail(CHECK, found, advice);
        return;
    }
    match (instance::who_answers(endpoint).await, running) {
        (Ok(who), _) if who.node != node.authority.to_string() => {
            findings.fail(CHECK, format!("the node {} answers at {endpoint}", who.node), CHANGE);
        }
        (Ok(who), Some(running)) if who.instance == running => findings.ok(CHECK, seen(endpoint, &addresses, world)),
        (Ok(_), _) => {
            let found = format!("another process with this node's key answers at {endpoint}");
            findings.fail(CHECK, found, "stop one of the two: one key must not sign in two places");
        }
        (Err(error), Some(_)) => {
            let found = format!("{endpoint} takes connections, and no node answers: {error}");
            let advice = match other_port(endpoint, config.http.listen) {
                Some(words) => unlike(&words),
                None => format!("let what is before the node (proxy, certificate) lead to it, or: {CHANGE}"),
            };
            findings.fail(CHECK, found, advice);
        }
        (Err(_), None) => {
            let advice = match other_port(endpoint, config.http.listen) {
                Some(words) => unlike(&words),
                None => "provena node run --config FILE, and run this again".to_owned(),
            };
            findings.warn(CHECK, format!("nobody answers at {endpoint}, and the node does not run"), advice);
        }
    }
}

/// The addresses behind a URL, as this machine resolves its name.
async fn addresses(url: &str) -> Result<Vec<SocketAddr>, String> {
    let parsed = reqwest::Url::parse(url).map_err(|error| format!("it is no URL ({error})"))?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = parsed.port_or_known_default().unwrap_or(80);
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host.as_str(), port))).await;
    let found: Vec<_> = match found {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => return Err(format!("the name {host} has no address ({error})")),
        Err(_) => return Err(format!("nobody says which address the name {host} has")),
    };
    if found.is_empty() { Err(format!("the name {host} has no address")) } else { Ok(found) }
}

/// Whether one of the addresses takes a connection.
async fn connects(addresses: &[SocketAddr]) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, TcpStream::connect(addresses)).await {
        Ok(connected) => connected.map(drop).map_err(|error| error.to_string()),
        Err(_) => Err(format!("nothing within {} s", PATIENCE.as_secs())),
    }
}

/// The first of some addresses, if all of them belong to a network that strangers are not in.
fn all_private(addresses: &[SocketAddr]) -> Option<IpAddr> {
    let is_public = |address: &SocketAddr| Reach::Public.client(&format!("http://{address}")).is_ok();
    addresses.iter().all(|address| !is_public(address)).then(|| addresses.first().map(SocketAddr::ip)).flatten()
}

/// What was seen, and how much of the way that is.
fn seen(endpoint: &str, addresses: &[SocketAddr], world: bool) -> String {
    if !world {
        return format!("{endpoint} leads to this node");
    }
    format!(
        "{endpoint} ({}) leads to this node, seen from this machine; whether firewalls and routers let strangers through only a \
         machine elsewhere can tell: curl {}/health",
        listed(addresses),
        endpoint.trim_end_matches('/'),
    )
}

/// What to do where the ports differ, in the words of [`other_port`].
fn unlike(words: &str) -> String {
    format!("{words}: unless a proxy leads there, listen on the endpoint's port, or: {CHANGE}")
}

/// What to do where nothing takes a connection.
fn closed(listen: SocketAddr) -> String {
    if listen.ip().is_loopback() {
        let port = listen.port();
        return format!(
            "[http] listen = \"{listen}\" is for this machine alone: listen on 0.0.0.0:{port}, or let a proxy lead to it; or: {CHANGE}"
        );
    }
    format!("open its port in firewall and router, or: {CHANGE}")
}

fn listed(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")
}

/// Whether a URL names this machine.
fn is_here(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback() || ip.is_unspecified())
}

/// Whether the chain that is read at a URL, and has this genesis hash, is everybody's: a public one is, also where a door to it
/// is on this machine.
fn is_world(rpc_url: &str, genesis: Option<[u8; 32]>) -> bool {
    !is_here(rpc_url) || genesis.is_some_and(|genesis| clusters::public_name(&genesis).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_chain_is_everybodys_whatever_door_leads_to_it() {
        let devnet: solana_pubkey::Pubkey = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG".parse().unwrap();
        let here = "http://127.0.0.1:8899";
        assert!(is_world(here, Some(devnet.to_bytes())) && is_world("https://rpc.example", None));
        assert!(!is_world(here, Some([7; 32])) && !is_world(here, None));
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        assert!(
            ["http://localhost:1", "http://127.0.0.2", "http://[::1]:8700", "http://0.0.0.0"]
                .iter()
                .all(|url| is_here(url))
        );
        assert!(!["https://node.example", "http://10.0.0.1", "nonsense"].iter().any(|url| is_here(url)));
    }

    #[test]
    fn addresses_that_strangers_cannot_reach_are_known() {
        let all =
            |addresses: &[&str]| -> Vec<SocketAddr> { addresses.iter().map(|one| one.parse().unwrap()).collect() };
        for private in ["10.0.0.7:80", "192.168.1.2:443", "100.64.0.1:80", "169.254.1.1:80", "[fd00::1]:80"] {
            assert_eq!(all_private(&all(&[private])), Some(all(&[private])[0].ip()), "{private}");
        }
        assert_eq!(all_private(&all(&["10.0.0.7:80", "1.1.1.1:80"])), None);
        assert_eq!(all_private(&all(&["[2606:4700::1]:443"])), None);
    }

    #[tokio::test]
    async fn a_name_and_a_port_are_looked_at_apart() {
        let error = addresses("https://no-such-node.invalid:8700").await.unwrap_err();
        assert!(error.contains("no-such-node.invalid"), "{error}");
        assert!(addresses("nonsense").await.unwrap_err().contains("no URL"));
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let found = addresses(&format!("http://127.0.0.1:{port}/node")).await.unwrap();
        assert_eq!(found, [taken.local_addr().unwrap()]);
        assert_eq!(connects(&found).await, Ok(()));
        drop(taken);
        assert!(connects(&found).await.is_err());
        assert!(addresses("https://[2606:4700::1]").await.unwrap()[0].to_string().ends_with(":443"));
    }

    #[test]
    fn what_is_seen_from_here_is_not_said_of_the_world() {
        let address: SocketAddr = "1.1.1.1:443".parse().unwrap();
        assert_eq!(seen("http://127.0.0.1:1", &[address], false), "http://127.0.0.1:1 leads to this node");
        let far = seen("https://node.example/", &[address], true);
        assert!(far.contains("seen from this machine") && far.ends_with("curl https://node.example/health"), "{far}");
        assert!(closed("127.0.0.1:8700".parse().unwrap()).contains("0.0.0.0:8700"));
        assert!(!closed("0.0.0.0:8700".parse().unwrap()).contains("0.0.0.0:8700"));
    }
}
