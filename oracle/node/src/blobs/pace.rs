//! How fast an artifact must come, whoever else waits.

use std::time::{Duration, Instant};

/// Bytes per second that whoever sends an artifact must keep up on average, after a first while.
const LEAST_RATE: u64 = 256 << 10;

/// That while.
const FIRST: Duration = Duration::from_secs(30);

/// How fast one sender was.
#[derive(Debug)]
pub(super) struct Pace {
    begun: Instant,
}

impl Pace {
    /// Of somebody who begins now.
    pub(super) fn begin(now: Instant) -> Self {
        Self { begun: now }
    }

    /// Whether he is fast enough, now that `len` bytes are there.
    ///
    /// # Errors
    /// In words: he is not.
    pub(super) fn keeps_up(&self, len: u64, now: Instant) -> Result<(), String> {
        let took = now.saturating_duration_since(self.begun);
        if took > FIRST + Duration::from_secs(len / LEAST_RATE) {
            return Err(format!("{len} bytes in {} s are too slow", took.as_secs()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_average_a_quarter_of_a_mebibyte_in_a_second_is_enough() {
        let (now, seconds) = (Instant::now(), Duration::from_secs);
        let pace = Pace::begin(now);
        assert!(pace.keeps_up(0, now + FIRST).is_ok());
        assert!(pace.keeps_up(30 << 20, now + FIRST + seconds(120)).is_ok());
        let words = pace.keeps_up(30 << 20, now + FIRST + seconds(121)).unwrap_err();
        assert_eq!(words, "31457280 bytes in 151 s are too slow");
    }
}
