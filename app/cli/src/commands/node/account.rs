//! A node's account, and the market's settings that bind it.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use provena_client::{
    Endpoint,
    chain::{Chain, accounts, send_and_confirm},
    reach::Reach,
};
use provena_market::{
    constants::{LEASE_SLOTS, MAX_ENDPOINT},
    pda,
    state::{Admin, Node},
};
use provena_wire::Untrusted;
use serde::Serialize;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signature::Signature;

use crate::{
    deploy::{self, Missing},
    failure::Failure,
    output::{Report, money::short_sol, style::Style, table::facts, text::short},
};

/// The market's settings.
///
/// # Errors
/// There are none on this chain.
pub(super) async fn market(chain: &dyn Chain) -> Result<Admin> {
    let admin = accounts::fetch_optional::<Admin, _>(chain, &pda::admin().0).await.context("cannot read the market")?;
    match admin {
        Some(admin) => Ok(admin),
        None => {
            let Missing { what, command } = deploy::missing(chain).await;
            Err(Failure::failed(what).hint(format!("{command}   (or check --url)")).into())
        }
    }
}

/// The node of `authority`, if it is one.
pub(super) async fn find(chain: &dyn Chain, authority: &Pubkey) -> Result<Option<Node>> {
    accounts::fetch_optional::<Node, _>(chain, &pda::node(authority).0).await.context("cannot read the node")
}

/// The node of `authority`.
///
/// # Errors
/// It is none.
pub(super) async fn get(chain: &dyn Chain, authority: &Pubkey) -> Result<Node> {
    find(chain, authority).await?.ok_or_else(|| {
        Failure::failed(format!("{authority} is no node on this chain"))
            .hint("provena node register --stake 1 --endpoint URL   (or name its wallet with --keypair)")
            .into()
    })
}

/// Checks where a node says that it answers.
///
/// # Errors
/// It is too long, or no address that HTTP reaches.
pub(super) fn check_endpoint(authority: &Pubkey, endpoint: &str) -> Result<()> {
    if endpoint.len() > MAX_ENDPOINT {
        let long = format!("the endpoint has {} bytes; there is room for {MAX_ENDPOINT}", endpoint.len());
        return Err(Failure::usage(long).hint("use a shorter host name or path").into());
    }
    if Endpoint::new(*authority, endpoint, Reach::Private).is_none() {
        return Err(Failure::usage(format!("`{endpoint}` is no address that HTTP reaches"))
            .hint("write it like https://node.example:8700")
            .into());
    }
    Ok(())
}

/// The port of an endpoint's URL.
pub(super) fn port_of(endpoint: &str) -> Option<u16> {
    reqwest::Url::parse(endpoint).ok()?.port_or_known_default()
}

/// That the registered endpoint's port is not the one on which the node listens, in words; it is right behind a proxy alone.
pub(super) fn other_port(endpoint: &str, listen: SocketAddr) -> Option<String> {
    let port = port_of(endpoint).filter(|port| *port != listen.port())?;
    Some(format!(
        "the endpoint {endpoint} has port {port}, and [http] listen = \"{listen}\" has port {}",
        listen.port()
    ))
}

/// Sends one instruction of a node.
pub(super) async fn send(
    chain: &dyn Chain,
    authority: &Keypair,
    instruction: Instruction,
    outcome: &'static str,
) -> Result<Signature> {
    let sent = send_and_confirm(chain, &[instruction], &[authority]).await;
    Ok(sent.context(outcome)?.signature)
}

/// A node as people and programs see it.
#[derive(Serialize)]
pub(super) struct NodeReport {
    node: String,
    account: String,
    endpoint: Untrusted,
    stake: u64,
    locked: u64,
    free: u64,
    capacity: u32,
    agreed: u64,
    forfeited: u64,
    registered_slot: u64,
    /// Slot of the last seat that a process took, and until when no other takes one.
    last_seat_slot: Option<u64>,
    leased_until_slot: Option<u64>,
    signature: Option<String>,
}

impl NodeReport {
    /// Of a node, and the transaction that changed it.
    pub(super) fn new(node: &Node, signature: Option<Signature>) -> Self {
        Self {
            node: node.authority.to_string(),
            account: pda::node(&node.authority).0.to_string(),
            endpoint: node.endpoint().into(),
            stake: node.stake,
            locked: node.locked,
            free: node.free().0,
            capacity: node.capacity,
            agreed: node.agreed,
            forfeited: node.forfeited,
            registered_slot: node.registered_at,
            last_seat_slot: (node.instance != 0).then_some(node.leased_at),
            leased_until_slot: (node.instance != 0).then(|| node.leased_at.saturating_add(LEASE_SLOTS)),
            signature: signature.map(|signature| signature.to_string()),
        }
    }
}

impl NodeReport {
    /// The node's wallet.
    pub(super) fn address(&self) -> &str {
        &self.node
    }

    /// Where it answers.
    pub(super) fn endpoint(&self) -> &Untrusted {
        &self.endpoint
    }

    /// Lamports at stake.
    pub(super) fn stake(&self) -> u64 {
        self.stake
    }

    /// Seats in which it agreed, and seats for which it lost its bond.
    pub(super) fn record(&self) -> (u64, u64) {
        (self.agreed, self.forfeited)
    }
}

/// So many seats of jobs.
fn seats(count: u64) -> String {
    if count == 1 { "1 seat".into() } else { format!("{count} seats") }
}

impl Report for NodeReport {
    fn text(&self, style: Style) -> String {
        let capacity = match self.capacity {
            0 => "not said".into(),
            jobs => format!("{jobs} jobs at the same time"),
        };
        let mut rows = vec![
            ("node", self.node.clone()),
            ("endpoint", self.endpoint.shown()),
            ("stake", style.strong(&short_sol(self.stake))),
            ("held by jobs", short_sol(self.locked)),
            ("free", short_sol(self.free)),
            ("capacity", capacity),
            ("agreed", format!("in {}", seats(self.agreed))),
            ("lost its bond", format!("for {}", seats(self.forfeited))),
        ];
        rows.extend(self.last_seat_slot.map(|slot| ("last seat", format!("in slot {slot}"))));
        rows.extend(self.signature.as_ref().map(|signature| ("transaction", short(signature))));
        facts(&rows, style)
    }
}

#[cfg(test)]
mod tests {
    use super::other_port;

    #[test]
    fn ports_that_differ_are_named() {
        let listen = "127.0.0.1:8700".parse().unwrap();
        assert_eq!(other_port("http://127.0.0.1:8700", listen), None);
        assert_eq!(other_port("nonsense", listen), None);
        let words = other_port("http://127.0.0.1:8701", listen).unwrap();
        assert!(words.contains("has port 8701") && words.contains("has port 8700"), "{words}");
        assert!(other_port("https://node.example", listen).unwrap().contains("has port 443"));
    }
}
