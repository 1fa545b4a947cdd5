//! Whether the node can earn, and what keeps it from it.

mod money;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use provena_client::chain::SharedChain;
use provena_common::slot::Slot;
use provena_market::constants::LEASE_SLOTS;
use provena_market::state::Node as NodeAccount;
use serde::Serialize;

use crate::disk::{self, Space};
use crate::journal::Journal;
use crate::tasks::admission::Ledger;

pub use money::{FEW_JOBS, JOB_FEES, Money, Standing, WALLET_RENT};

/// A disk with less room is full for a node, in bytes.
const LEAST_SPACE: u64 = 4 << 20;

/// Why a node cannot earn. The first of several is what has to be mended first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The RPC server answers for another chain than at the start.
    WrongChain,
    /// The RPC server does not answer.
    Unreachable,
    /// The node does not look for jobs yet, or no more.
    Starting,
    /// The chain stands still, or its server lags behind.
    Lagging,
    /// Another process acts with the same key.
    AnotherInstance,
    /// The crash log cannot be read or written.
    LogBroken,
    /// The crash log has no room to spare.
    LogDegraded,
    /// The disk has no room.
    DiskFull,
    /// The wallet cannot pay the fees of many more jobs.
    BalanceLow,
    /// The whole stake is less than the market's least, so that it lets the node take no seat.
    StakeTooLow,
    /// Less stake is free than a job usually takes as its bond.
    StakeLow,
}

impl Reason {
    /// The name in `/health`, logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongChain => "wrong_chain",
            Self::Unreachable => "unreachable",
            Self::Starting => "starting",
            Self::Lagging => "lagging",
            Self::AnotherInstance => "another_instance",
            Self::LogBroken => "log_broken",
            Self::LogDegraded => "log_degraded",
            Self::DiskFull => "disk_full",
            Self::BalanceLow => "balance_low",
            Self::StakeTooLow => "stake_too_low",
            Self::StakeLow => "stake_low",
        }
    }
}

/// What one class of blobs takes of the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiskClass {
    /// Its name, e.g. `uploads`.
    pub name: &'static str,
    /// Bytes that it takes.
    pub used: u64,
    /// Bytes that it may take.
    pub quota: u64,
}

/// The disk, as `/health` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DiskReport {
    /// Room on the disk of the data folder.
    #[serde(flatten)]
    pub space: Option<Space>,
    /// What the store keeps, by class.
    pub classes: Vec<DiskClass>,
}

/// Says what the store keeps, by class.
pub type Classes = Arc<dyn Fn() -> Vec<DiskClass> + Send + Sync>;

/// What is known of the node's condition. Shared by the service, its routes and whoever takes jobs.
pub struct Readiness {
    chain: SharedChain,
    journal: Journal,
    data: PathBuf,
    classes: Classes,
    ledger: Arc<Ledger>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    watching: bool,
    /// What the chain said of the node's money, and when.
    money: Option<(Money, Instant)>,
    usual_bond: u64,
    elsewhere: bool,
    /// The slot from which this process may take seats, while another one holds the node's lease.
    leased_until: u64,
    strange_seats: u64,
}

impl State {
    fn saw_money(&mut self, money: Money, read: Instant) {
        if self.money.is_none_or(|(_, before)| before <= read) {
            self.money = Some((money, read));
        }
    }
}

impl Readiness {
    /// Of a node whose files lie in `data`, and whose store says through `classes` what it keeps.
    #[must_use]
    pub fn new(chain: SharedChain, journal: Journal, data: PathBuf, classes: Classes) -> Self {
        Self { chain, journal, data, classes, ledger: Arc::default(), state: Mutex::default() }
    }

    /// What jobs hold of the node.
    #[must_use]
    pub fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.ledger)
    }

    /// Everything that keeps the node from earning.
    #[must_use]
    pub fn reasons(&self) -> Vec<Reason> {
        let chain = self.chain.health();
        let money = self.money();
        let State { watching, usual_bond, elsewhere, leased_until, .. } = *self.lock();
        let full = disk::free(&self.data).is_ok_and(|free| free < LEAST_SPACE);
        let found = [
            (chain.wrong_chain.is_some(), Reason::WrongChain),
            (chain.consecutive_failures > 0, Reason::Unreachable),
            (!watching, Reason::Starting),
            (chain.lagging, Reason::Lagging),
            (elsewhere || chain.slot < leased_until, Reason::AnotherInstance),
            (self.journal.broken().is_some(), Reason::LogBroken),
            (self.journal.is_degraded(), Reason::LogDegraded),
            (full, Reason::DiskFull),
            (money.is_some_and(|money| money.jobs_of_fees < FEW_JOBS), Reason::BalanceLow),
            (money.is_some_and(|money| money.stake < money.least_stake), Reason::StakeTooLow),
            (money.is_some_and(|money| money.free < usual_bond.max(1)), Reason::StakeLow),
        ];
        found.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect()
    }

    /// Why no new job may be taken now, if so. Too little stake is no such reason: each job names its own bond and the least
    /// stake, and is refused for them.
    #[must_use]
    pub fn obstacle(&self) -> Option<Reason> {
        let hinders = |reason: &Reason| !matches!(reason, Reason::Starting | Reason::StakeTooLow | Reason::StakeLow);
        self.reasons().into_iter().find(hinders)
    }

    /// What the chain said last of the node's money, and what of it was promised to jobs since or is not on the chain yet.
    #[must_use]
    pub fn money(&self) -> Option<Money> {
        let (money, read) = self.lock().money?;
        Some(money.with_promised(self.ledger.promised(read)))
    }

    /// The bond of the job that was looked at last; 0 before the first.
    #[must_use]
    pub fn usual_bond(&self) -> u64 {
        self.lock().usual_bond
    }

    /// The disk now.
    #[must_use]
    pub fn disk(&self) -> DiskReport {
        DiskReport { space: disk::space(&self.data).ok(), classes: (self.classes)() }
    }

    /// Records whether the node looks for jobs.
    pub fn watch(&self, watching: bool) {
        self.lock().watching = watching;
    }

    /// Records what the chain says of the node's money; it was asked at `read`. What was asked later already stays.
    pub fn saw_money(&self, money: Money, read: Instant) {
        self.lock().saw_money(money, read);
    }

    /// Records the bond of a job that could be taken.
    pub fn saw_bond(&self, lamports: u64) {
        self.lock().usual_bond = lamports;
    }

    /// Records whether another process acts with the key; says whether that is news.
    pub fn saw_another(&self, elsewhere: bool) -> bool {
        std::mem::replace(&mut self.lock().elsewhere, elsewhere) != elsewhere
    }

    /// Records whose lease the node's account shows; says whether another process holds it.
    pub fn saw_lease(&self, node: &NodeAccount) -> bool {
        let now = Slot(self.chain.health().slot);
        let held = node.is_leased_to_another(self.journal.instance(), now);
        let until = if held { node.leased_at.saturating_add(LEASE_SLOTS) } else { 0 };
        let before = std::mem::replace(&mut self.lock().leased_until, until);
        if held && before <= now.0 {
            tracing::error!(
                node = %node.authority,
                slot = node.leased_at,
                until,
                "another process took a seat with this node's key; this one takes none before the slot until: stop one of them"
            );
        }
        held
    }

    /// Records a seat of this node that its crash log never asked for.
    pub fn saw_strange_seat(&self) {
        let mut state = self.lock();
        state.strange_seats = state.strange_seats.saturating_add(1);
    }

    /// Seats of this node, seen since the start, that its crash log never asked for.
    #[must_use]
    pub fn strange_seats(&self) -> u64 {
        self.lock().strange_seats
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_the_chain_said_earlier_is_not_put_in_place_of_what_it_said_later() {
        let (mut state, now) = (State::default(), Instant::now());
        for (balance, after) in [(1, 1), (2, 0), (3, 2)] {
            state.saw_money(Money { balance, ..Money::default() }, now + Duration::from_secs(after));
            let kept = if balance == 2 { 1 } else { balance };
            assert_eq!(state.money.map(|(money, _)| money.balance), Some(kept));
        }
    }
}
