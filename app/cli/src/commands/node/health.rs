//! What a node says of itself at the address that the chain names. It is a stranger's text, and only said.

use provena_client::reach::Reach;
use provena_node::instance;
use serde::{Deserialize, Serialize};

use crate::output::{money::short_sol, text::printable};

/// The part of a node's `/health` that people look at. What is missing there is empty here.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct NodeHealth {
    /// The node's authority, base58.
    pub node: String,
    /// The process.
    pub instance: String,
    /// "ok", or the first reason why it cannot earn.
    pub status: String,
    /// All of them.
    pub reasons: Vec<String>,
    /// The program's version.
    pub version: String,
    money: Option<Money>,
    usual_bond: u64,
    lost_bonds: Vec<LostBond>,
    jobs: Jobs,
    last_answer: Option<Answer>,
    disk: Disk,
    resident_bytes: Option<u64>,
    chain: Chain,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Money {
    balance: u64,
    jobs_of_fees: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct LostBond {
    job: String,
    reason: String,
    at: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Jobs {
    computing: u64,
    waiting_for_others: u64,
    awaiting_pay: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Answer {
    job: String,
    at: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Disk {
    free: Option<u64>,
    total: Option<u64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Chain {
    server: String,
    slot: u64,
    slot_age_ms: u64,
}

impl NodeHealth {
    /// Asks the node at an address, as far as that may lead.
    ///
    /// # Errors
    /// In words: nothing answers there, or something else than a node.
    pub(super) async fn ask(endpoint: &str, reach: Reach) -> Result<Self, String> {
        instance::health(endpoint, reach).await
    }

    /// What it says, for a table of facts.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let status = match self.reasons.as_slice() {
            [] | [_] => printable(&self.status),
            reasons => reasons.iter().map(|reason| printable(reason)).collect::<Vec<_>>().join(", "),
        };
        let Jobs { computing, waiting_for_others, awaiting_pay } = self.jobs;
        let jobs =
            format!("{computing} computing, {waiting_for_others} waiting for others, {awaiting_pay} awaiting pay");
        let mut rows = vec![("says of itself", status), ("jobs", jobs)];
        if let Some(Money { balance, jobs_of_fees }) = self.money {
            rows.push(("wallet", format!("{}, the fees of {jobs_of_fees} jobs", short_sol(balance))));
        }
        if self.usual_bond > 0 {
            rows.push(("usual bond", short_sol(self.usual_bond)));
        }
        let ago = |at| format!("{} ago", age(now().saturating_sub(at)));
        if let Some(Answer { job, at }) = &self.last_answer {
            rows.push(("last answer", format!("{}\n{}", ago(*at), printable(job))));
        }
        if let Some(LostBond { job, reason, at }) = self.lost_bonds.first() {
            rows.push(("last lost bond", format!("{}: {}\n{}", ago(*at), printable(reason), printable(job))));
        }
        if let Disk { free: Some(free), total: Some(total) } = self.disk {
            rows.push(("disk", format!("{} of {} free", bytes(free), bytes(total))));
        }
        rows.extend(self.resident_bytes.map(|resident| ("memory", bytes(resident))));
        let Chain { server, slot, slot_age_ms } = &self.chain;
        let seconds = slot_age_ms / 1_000;
        rows.push(("chain", format!("slot {slot}, {seconds} s old, from {}", printable(server))));
        rows
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Bytes as people read them.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut shown = (count, "bytes");
    for unit in UNITS {
        if shown.0 < 10_000 {
            break;
        }
        shown = (shown.0 / 1_000, unit);
    }
    format!("{} {}", shown.0, shown.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([999, 10_000, 64 << 20].map(bytes), ["999 bytes", "10 kB", "67 MB"]);
        assert_eq!([5, 300, 90_000, 900_000].map(age), ["5 s", "5 min", "25 h", "10 days"]);
    }

    #[test]
    fn what_a_stranger_says_cannot_fake_a_row() {
        let health: NodeHealth =
            serde_json::from_str(r#"{"status":"ok\u001b[2J","chain":{"server":"a\nb"},"more":[1]}"#).unwrap();
        let facts = health.facts();
        assert!(facts.iter().all(|(_, value)| !value.contains('\u{1b}')), "{facts:?}");
        assert!(facts.iter().any(|(_, value)| value.contains("a\\u{a}b")), "{facts:?}");
    }
}
