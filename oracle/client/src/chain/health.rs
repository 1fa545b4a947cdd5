//! How well the connection to the chain does, as other parts see it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Serialize;

/// Counts successes and failures of one connection. Cheap to share.
#[derive(Debug)]
pub struct Health {
    server: String,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    slot: u64,
    /// When `slot` last grew.
    slot_advanced: Instant,
    last_success: Option<Instant>,
    consecutive_failures: u64,
    last_error: Option<String>,
    subscribed: bool,
    wrong_chain: Option<String>,
}

/// A snapshot of [`Health`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// Host and port of the server.
    pub server: String,
    /// Whether the last request succeeded.
    pub reachable: bool,
    /// Whether the chain's slot has stood still for longer than [`Health::STALLED_AFTER`].
    pub lagging: bool,
    /// The highest slot seen.
    pub slot: u64,
    /// Milliseconds since the slot last grew.
    pub slot_age_ms: u64,
    /// Failures since the last success.
    pub consecutive_failures: u64,
    /// The last failure's text.
    pub last_error: Option<String>,
    /// Whether a WebSocket subscription is up; polling serves otherwise.
    pub subscribed: bool,
    /// Genesis hash of the chain that the server answers for, base58, when it is another one than before.
    pub wrong_chain: Option<String>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            server: String::new(),
            inner: Mutex::new(Inner {
                slot: 0,
                slot_advanced: Instant::now(),
                last_success: None,
                consecutive_failures: 0,
                last_error: None,
                subscribed: false,
                wrong_chain: None,
            }),
        }
    }
}

impl Health {
    /// A slot takes about 0.4 s; a chain that shows no new one for this long lags or has stopped.
    pub const STALLED_AFTER: Duration = Duration::from_secs(15);

    /// Slots by which servers of one chain do not differ: a slot that is so far from the last one is of another chain, or
    /// the connection slept.
    const FAR: u64 = 1_000;

    /// Of the connection to a server, given as host and port.
    #[must_use]
    pub fn of(server: String) -> Self {
        Self { server, ..Self::default() }
    }

    /// Records an answered request.
    pub fn succeeded(&self) {
        let mut inner = self.lock();
        if inner.consecutive_failures > 0 {
            tracing::info!(failures = inner.consecutive_failures, "the RPC server answers again");
        }
        inner.last_success = Some(Instant::now());
        inner.consecutive_failures = 0;
        inner.last_error = None;
    }

    /// Records a request that got no usable answer.
    pub fn failed(&self, error: &str) {
        let mut inner = self.lock();
        inner.consecutive_failures = inner.consecutive_failures.saturating_add(1);
        // One line per outage and then one per power of two, so that an outage of hours stays readable.
        if inner.consecutive_failures.is_power_of_two() {
            tracing::warn!(
                failures = inner.consecutive_failures,
                error,
                "the RPC server does not answer; retrying with growing delays"
            );
        }
        inner.last_error = Some(error.to_owned());
    }

    /// Records the slot that the server reports; says whether it is so far from the last one that the chain may be another.
    pub fn saw_slot(&self, slot: u64) -> bool {
        let mut inner = self.lock();
        let far = inner.slot != 0 && slot.abs_diff(inner.slot) > Self::FAR;
        if slot > inner.slot {
            inner.slot = slot;
            inner.slot_advanced = Instant::now();
        }
        far
    }

    /// Records that the server answers for another chain; says whether that is news.
    pub fn on_another_chain(&self, genesis: &str) -> bool {
        let mut inner = self.lock();
        let news = inner.wrong_chain.as_deref() != Some(genesis);
        inner.wrong_chain = Some(genesis.to_owned());
        news
    }

    /// Records that the server answers for the right chain again. What slot the other one had is forgotten.
    pub fn back_on_chain(&self) {
        let mut inner = self.lock();
        inner.wrong_chain = None;
        inner.slot = 0;
        inner.slot_advanced = Instant::now();
    }

    /// Records whether a subscription is up.
    pub fn subscribed(&self, subscribed: bool) {
        self.lock().subscribed = subscribed;
    }

    /// The state now.
    #[must_use]
    pub fn report(&self) -> HealthReport {
        self.report_at(Instant::now())
    }

    fn report_at(&self, now: Instant) -> HealthReport {
        let inner = self.lock();
        let age = now.saturating_duration_since(inner.slot_advanced);
        HealthReport {
            server: self.server.clone(),
            reachable: inner.last_success.is_some() && inner.consecutive_failures == 0 && inner.wrong_chain.is_none(),
            lagging: age > Self::STALLED_AFTER,
            slot: inner.slot,
            slot_age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
            consecutive_failures: inner.consecutive_failures,
            last_error: inner.last_error.clone(),
            subscribed: inner.subscribed,
            wrong_chain: inner.wrong_chain.clone(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // The guarded code cannot panic half-way through a change, so a poisoned value is still whole.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_that_stands_still_lags_although_it_answers() {
        let health = Health::default();
        health.saw_slot(7);
        health.succeeded();
        let now = Instant::now();
        let fresh = health.report_at(now);
        assert!(fresh.reachable && !fresh.lagging, "{fresh:?}");
        let later = now + Health::STALLED_AFTER + Duration::from_secs(1);
        // The same slot again, or an older one from another server behind the same address, is no progress.
        health.saw_slot(7);
        health.saw_slot(3);
        let stalled = health.report_at(later);
        assert!(stalled.reachable && stalled.lagging && stalled.slot == 7, "{stalled:?}");
        health.saw_slot(8);
        assert!(!health.report_at(Instant::now()).lagging);
    }

    #[test]
    fn failures_are_counted_until_the_next_answer() {
        let health = Health::default();
        health.failed("refused");
        health.failed("timed out");
        let down = health.report();
        assert_eq!((down.reachable, down.consecutive_failures), (false, 2));
        assert_eq!(down.last_error.as_deref(), Some("timed out"));
        health.succeeded();
        let up = health.report();
        assert_eq!((up.reachable, up.consecutive_failures, up.last_error), (true, 0, None));
    }
}
