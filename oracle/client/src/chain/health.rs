//! How well the connection to the chain does, as other parts see it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Serialize;

/// Counts successes and failures of one connection. Cheap to share.
#[derive(Debug)]
pub struct Health {
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
}

/// A snapshot of [`Health`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// Whether the last request succeeded and the chain moves.
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
}

impl Default for Health {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                slot: 0,
                slot_advanced: Instant::now(),
                last_success: None,
                consecutive_failures: 0,
                last_error: None,
                subscribed: false,
            }),
        }
    }
}

impl Health {
    /// A slot takes about 0.4 s; a chain that shows no new one for this long lags or has stopped.
    pub const STALLED_AFTER: Duration = Duration::from_secs(15);

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

    /// Records the slot that the server reports.
    pub fn saw_slot(&self, slot: u64) {
        let mut inner = self.lock();
        if slot > inner.slot {
            inner.slot = slot;
            inner.slot_advanced = Instant::now();
        }
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
            reachable: inner.last_success.is_some() && inner.consecutive_failures == 0,
            lagging: age > Self::STALLED_AFTER,
            slot: inner.slot,
            slot_age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
            consecutive_failures: inner.consecutive_failures,
            last_error: inner.last_error.clone(),
            subscribed: inner.subscribed,
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
