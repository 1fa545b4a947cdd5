//! The chain: whether it answers, moves, agrees with this clock, and knows the node.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use provena_client::chain::{ChainReader, RpcChain, accounts};
use provena_market::pda;
use provena_market::state::{Admin, Node};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::finding::Findings;
use crate::deploy::{self, Missing};

/// The chain's own clock.
const CLOCK: Pubkey = solana_pubkey::pubkey!("SysvarC1ock11111111111111111111111111111111");

/// Where `unix_timestamp` lies in it: slot, start of the epoch, epoch and the next schedule come first.
const TIMESTAMP_AT: usize = 32;

/// Longest wait for the next slot.
const NEXT_SLOT: Duration = Duration::from_secs(6);

/// An answer that takes longer costs a node deadlines.
const SLOW: Duration = Duration::from_millis(800);

/// Seconds by which a chain's clock and this one may differ, and from which something is wrong.
const FEW_SECONDS: u64 = 60;
const MANY_SECONDS: u64 = 600;

/// Whether the server answers and the chain moves.
pub(super) async fn connection(chain: &RpcChain, findings: &mut Findings) -> bool {
    let begun = Instant::now();
    let first = match chain.slot().await {
        Ok(slot) => slot,
        Err(error) => {
            findings.fail("chain", error.to_string(), "check [chain] rpc_url, or start the chain");
            return false;
        }
    };
    let took = begun.elapsed();
    while begun.elapsed() < NEXT_SLOT {
        tokio::time::sleep(Duration::from_millis(300)).await;
        match chain.slot().await {
            Ok(slot) if slot > first => {
                let found = format!("slot {slot}, answered in {} ms", took.as_millis());
                if took > SLOW {
                    findings.warn("chain", found, "use a server that is nearer: slow answers cost deadlines");
                } else {
                    findings.ok("chain", found);
                }
                return true;
            }
            _ => {}
        }
    }
    findings.fail("chain", format!("it stands still at slot {first}"), "use another server in [chain] rpc_url");
    true
}

/// Whether this machine's clock agrees with the chain's.
pub(super) async fn clock(chain: &RpcChain, findings: &mut Findings) {
    let account = chain.account(&CLOCK).await.ok().flatten();
    let bytes = account.and_then(|account| account.data.get(TIMESTAMP_AT..)?.first_chunk().copied());
    let theirs = bytes.map(i64::from_le_bytes).and_then(|seconds| u64::try_from(seconds).ok());
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    let Some(theirs) = theirs else {
        findings.warn("clock", "the chain does not show its clock", "use another server in [chain] rpc_url");
        return;
    };
    let apart = theirs.abs_diff(ours);
    let found = format!("{apart} s from the chain's");
    match apart {
        ..FEW_SECONDS => findings.ok("clock", found),
        FEW_SECONDS..MANY_SECONDS => findings.warn("clock", found, "let this machine's clock be set over the network"),
        _ => findings.fail("clock", found, "set this machine's clock; if it is right, the server lags: use another"),
    }
}

/// The market, and whether it was set up on this chain.
pub(super) async fn market(chain: &RpcChain, findings: &mut Findings) -> Option<Admin> {
    let market = match accounts::fetch_optional::<Admin, _>(chain, &pda::admin().0).await {
        Ok(Some(market)) => market,
        Ok(None) => {
            let Missing { what, command } = deploy::missing(chain).await;
            findings.fail("market", what, format!("check [chain] rpc_url; on a chain of your own: {command}"));
            return None;
        }
        Err(error) => {
            findings.fail("market", error.to_string(), "check [chain] rpc_url");
            return None;
        }
    };
    match chain.cluster().await {
        Ok(genesis) if genesis == market.cluster => {
            findings.ok("genesis", Pubkey::from(genesis).to_string());
            Some(market)
        }
        Ok(genesis) => {
            let (says, is) = (Pubkey::from(market.cluster), Pubkey::from(genesis));
            findings.fail("genesis", format!("the market says {says}, the server {is}"), "check [chain] rpc_url");
            None
        }
        Err(error) => {
            findings.fail("genesis", error.to_string(), "check [chain] rpc_url");
            None
        }
    }
}

/// The node's account.
pub(super) async fn node(chain: &RpcChain, key: &Keypair, findings: &mut Findings) -> Option<Node> {
    match accounts::fetch_optional::<Node, _>(chain, &pda::node(&key.pubkey()).0).await {
        Ok(Some(node)) => Some(node),
        Ok(None) => {
            let how = "provena node register --stake 1 --endpoint URL --keypair FILE";
            findings.fail("account", format!("{} is not registered as a node", key.pubkey()), how);
            None
        }
        Err(error) => {
            findings.fail("account", error.to_string(), "check [chain] rpc_url");
            None
        }
    }
}
