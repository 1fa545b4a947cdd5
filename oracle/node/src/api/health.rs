//! `GET /health`: 200 while the node can earn, 503 with the reasons while it cannot.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use provena_client::chain::HealthReport;
use serde::Serialize;

use super::Api;
use crate::compute::Adapter;
use crate::journal::{Counts, LastReceipt, LostBond};
use crate::memory;
use crate::readiness::{DiskReport, Money, Reason};

/// Lost bonds that are named; the crash log remembers more.
const LOST_SHOWN: usize = 10;

/// The answer's body.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    /// "ok", or the first of the reasons.
    status: &'static str,
    /// Everything that keeps the node from earning.
    reasons: Vec<Reason>,
    /// The program's version.
    version: &'static str,
    /// The node's authority.
    node: String,
    /// This process: another one with the same key must not run.
    instance: String,
    /// The connection to the chain.
    chain: HealthReport,
    /// What computes.
    adapter: Adapter,
    /// Always "passed": a node whose self-test fails does not start.
    self_test: &'static str,
    /// What the chain said last of the node's money; absent before it was asked.
    money: Option<Money>,
    /// The bond of the job that was looked at last, in lamports.
    usual_bond: u64,
    /// The bonds that were lost last, and why.
    lost_bonds: Vec<LostBond>,
    /// Seats of this node that its crash log never asked for: another process used the key, or the log is an old copy.
    strange_seats: u64,
    /// Open jobs.
    jobs: Counts,
    /// The newest receipt.
    last_answer: Option<LastReceipt>,
    /// The disk.
    disk: DiskReport,
    /// Memory of the process in bytes.
    resident_bytes: Option<u64>,
}

pub(super) async fn get(State(api): State<Arc<Api>>) -> (StatusCode, Json<Health>) {
    let reasons = api.readiness.reasons();
    let code = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut lost_bonds = api.journal.lost_bonds();
    lost_bonds.truncate(LOST_SHOWN);
    let health = Health {
        status: reasons.first().map_or("ok", |reason| reason.name()),
        reasons,
        version: env!("CARGO_PKG_VERSION"),
        node: api.node.clone(),
        instance: api.instance.clone(),
        chain: api.chain.health(),
        adapter: api.adapter.clone(),
        self_test: "passed",
        money: api.readiness.money(),
        usual_bond: api.readiness.usual_bond(),
        lost_bonds,
        strange_seats: api.readiness.strange_seats(),
        jobs: api.journal.counts(),
        last_answer: api.journal.last_receipt(),
        disk: api.readiness.disk(),
        resident_bytes: memory::resident_bytes(),
    };
    (code, Json(health))
}
