//! Waiting longer after each failure.

use std::time::Duration;

/// Doubling delays between `first` and `most`, with up to a quarter of jitter so that many nodes do not return together.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// Delays start at `first` and never exceed `most` (plus jitter).
    #[must_use]
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// Number of failures since the last success.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Forgets past failures.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Counts one failure and says how long to wait.
    pub fn failed(&mut self) -> Duration {
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let delay = self.first.saturating_mul(1 << doublings).min(self.most);
        delay + delay.mul_f64(jitter() / 4.0)
    }
}

/// A number in 0.0..1.0 from the clock: good enough to spread retries.
fn jitter() -> f64 {
    let nanos =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.subsec_nanos());
    f64::from(nanos % 1_000) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_limit_and_reset() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        let delays: Vec<_> = (0..4).map(|_| backoff.failed().as_millis()).collect();
        assert!((100..=125).contains(&delays[0]), "{delays:?}");
        assert!((200..=250).contains(&delays[1]), "{delays:?}");
        assert!((350..=438).contains(&delays[2]), "{delays:?}");
        assert!((350..=438).contains(&delays[3]), "{delays:?}");
        backoff.succeeded();
        assert!(backoff.failed().as_millis() <= 125);
    }
}
