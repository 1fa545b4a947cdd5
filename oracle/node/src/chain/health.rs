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
        let inner = self.lock();
        let age = inner.slot_advanced.elapsed();
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
