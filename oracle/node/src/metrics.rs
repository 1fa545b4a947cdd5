//! Counters for Prometheus.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use provena_client::chain::HealthReport;
use provena_wire::Units;

use crate::journal::Journal;
use crate::memory;
use crate::readiness::Readiness;

/// What happened to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum JobEvent {
    /// A seat was taken.
    Taken,
    /// A seat was given up, because others did not come.
    Left,
    /// The result is computed.
    Computed,
    /// The commitment is on the chain.
    Committed,
    /// The result is on the chain.
    Revealed,
    /// The quorum agreed, the response is published and the receipt signed.
    Receipted,
    /// A demanded answer was put on the chain.
    Answered,
    /// Paid.
    Settled,
    /// Given up.
    Abandoned,
    /// A deadline that somebody missed was cranked.
    TimedOut,
}

/// A side of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Side {
    In,
    Out,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnitLabels {
    side: Side,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    event: JobEvent,
}

/// The node's counters. Cheap to share; every update is atomic.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    jobs: Family<JobLabels, Counter>,
    inference: Histogram,
    units: Family<UnitLabels, Counter>,
    in_flight: Gauge,
    awaiting_pay: Gauge,
    steps_failed: Counter,
    blobs_served: Counter,
    blobs_taken: Counter,
    uploads_refused: Counter,
    connections_refused: Counter,
    slot: Gauge<u64, AtomicU64>,
    slot_age_ms: Gauge<u64, AtomicU64>,
    rpc_failures: Gauge<u64, AtomicU64>,
    healthy: Gauge,
    refused: Family<ReasonLabels, Counter>,
    obstacles: Family<ReasonLabels, Gauge>,
    balance: Gauge<u64, AtomicU64>,
    stake_free: Gauge<u64, AtomicU64>,
    stake_locked: Gauge<u64, AtomicU64>,
    bonds_lost: Gauge<u64, AtomicU64>,
    computing: Gauge<u64, AtomicU64>,
    waiting: Gauge<u64, AtomicU64>,
    disk_free: Gauge<u64, AtomicU64>,
    memory: Gauge<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("provena_node"),
            jobs: Family::default(),
            // From a millisecond to over two minutes.
            inference: Histogram::new(exponential_buckets(0.001, 2.0, 18)),
            units: Family::default(),
            in_flight: Gauge::default(),
            awaiting_pay: Gauge::default(),
            steps_failed: Counter::default(),
            blobs_served: Counter::default(),
            blobs_taken: Counter::default(),
            uploads_refused: Counter::default(),
            connections_refused: Counter::default(),
            slot: Gauge::default(),
            slot_age_ms: Gauge::default(),
            rpc_failures: Gauge::default(),
            healthy: Gauge::default(),
            refused: Family::default(),
            obstacles: Family::default(),
            balance: Gauge::default(),
            stake_free: Gauge::default(),
            stake_locked: Gauge::default(),
            bonds_lost: Gauge::default(),
            computing: Gauge::default(),
            waiting: Gauge::default(),
            disk_free: Gauge::default(),
            memory: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("jobs", "Jobs by what happened to them", self.jobs.clone());
        registry.register_with_unit("inference", "Time of one inference", Unit::Seconds, self.inference.clone());
        registry.register("units", "Units of work computed", self.units.clone());
        registry.register("jobs_in_flight", "Jobs being worked on", self.in_flight.clone());
        registry.register("jobs_awaiting_pay", "Decided jobs whose pay or bond is awaited", self.awaiting_pay.clone());
        registry.register("steps_failed", "Steps that failed and were tried again", self.steps_failed.clone());
        registry.register("blobs_served", "Blobs sent to others", self.blobs_served.clone());
        registry.register("blobs_taken", "Blobs taken from others", self.blobs_taken.clone());
        registry.register("uploads_refused", "Blobs that were not taken", self.uploads_refused.clone());
        let refused = "Connections that were closed at once, because there were too many";
        registry.register("connections_refused", refused, self.connections_refused.clone());
        registry.register("chain_slot", "Highest slot seen", self.slot.clone());
        registry.register("chain_slot_age_ms", "Milliseconds since the slot last grew", self.slot_age_ms.clone());
        registry.register(
            "rpc_consecutive_failures",
            "Unanswered requests since the last answer",
            self.rpc_failures.clone(),
        );
        registry.register("healthy", "1 while /health says ok", self.healthy.clone());
        registry.register("refused", "Jobs and requests that were not taken, by reason", self.refused.clone());
        registry.register("obstacles", "1 for each reason why the node cannot earn", self.obstacles.clone());
        registry.register("wallet_lamports", "Lamports of the wallet", self.balance.clone());
        registry.register("stake_free_lamports", "Stake that new jobs can hold", self.stake_free.clone());
        registry.register("stake_locked_lamports", "Stake that jobs hold", self.stake_locked.clone());
        registry.register("bonds_lost", "Seats for which the bond was lost", self.bonds_lost.clone());
        registry.register("jobs_computing", "Jobs that are being computed", self.computing.clone());
        registry.register("jobs_waiting_for_others", "Computed jobs that others hold up", self.waiting.clone());
        registry.register("disk_free_bytes", "Room on the disk of the data folder", self.disk_free.clone());
        registry.register("resident_bytes", "Memory of the process", self.memory.clone());
    }

    /// Counts one event of a job.
    pub fn job(&self, event: JobEvent) {
        self.jobs.get_or_create(&JobLabels { event }).inc();
    }

    /// How often a job was left alone for this reason.
    #[must_use]
    pub fn refusals(&self, reason: &'static str) -> u64 {
        self.refused.get_or_create(&ReasonLabels { reason }).get()
    }

    /// How often an event was counted.
    #[must_use]
    pub fn count(&self, event: JobEvent) -> u64 {
        self.jobs.get_or_create(&JobLabels { event }).get()
    }

    /// Records an inference of `units` that took `seconds`.
    pub fn inference(&self, units: Units, seconds: f64) {
        self.inference.observe(seconds);
        for (side, count) in [(Side::In, units.input), (Side::Out, units.output)] {
            self.units.get_or_create(&UnitLabels { side }).inc_by(u64::from(count));
        }
    }

    /// Records how many jobs are being worked on.
    pub fn in_flight(&self, jobs: usize) {
        self.in_flight.set(i64::try_from(jobs).unwrap_or(i64::MAX));
    }

    /// Records how many decided jobs have yet to pay.
    pub fn awaiting_pay(&self, jobs: usize) {
        self.awaiting_pay.set(i64::try_from(jobs).unwrap_or(i64::MAX));
    }

    /// Counts a step that failed and is tried again.
    pub fn step_failed(&self) {
        self.steps_failed.inc();
    }

    /// Counts a blob sent to somebody.
    pub fn blob_served(&self) {
        self.blobs_served.inc();
    }

    /// Counts a blob taken from somebody.
    pub fn blob_taken(&self) {
        self.blobs_taken.inc();
    }

    /// Counts a job or request that was not taken, by the name of the reason.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Records whether the node can earn, what keeps it from it, and its money, disk and memory.
    pub fn readiness(&self, readiness: &Readiness, journal: &Journal) {
        let reasons = readiness.reasons();
        self.healthy.set(i64::from(reasons.is_empty()));
        self.obstacles.clear();
        for reason in reasons {
            self.obstacles.get_or_create(&ReasonLabels { reason: reason.name() }).set(1);
        }
        if let Some(money) = readiness.money() {
            self.balance.set(money.balance);
            self.stake_free.set(money.free);
            self.stake_locked.set(money.locked);
            self.bonds_lost.set(money.forfeited);
        }
        let jobs = journal.counts();
        self.computing.set(jobs.computing);
        self.waiting.set(jobs.waiting_for_others);
        self.disk_free.set(readiness.disk().space.map_or(0, |space| space.free));
        self.memory.set(memory::resident_bytes().unwrap_or(0));
    }

    /// Counts a blob that was not taken.
    pub fn upload_refused(&self) {
        self.uploads_refused.inc();
    }

    /// Counts a connection for which there was no place.
    pub fn connection_refused(&self) {
        self.connections_refused.inc();
    }

    /// Records the connection's state.
    pub fn chain(&self, report: &HealthReport) {
        self.slot.set(report.slot);
        self.slot_age_ms.set(report.slot_age_ms);
        self.rpc_failures.set(report.consecutive_failures);
    }

    /// The whole set in the `OpenMetrics` text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        if let Err(error) = text::encode(&mut out, &self.registry) {
            tracing::error!(?error, "the metrics cannot be rendered");
        }
        out
    }
}
