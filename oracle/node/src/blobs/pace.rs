//! How fast an artifact must come, and how much faster while somebody else waits for the turn that it has.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes per second that whoever sends an artifact must keep up on average, after a first while.
const LEAST_RATE: u64 = 256 << 10;

/// That while.
const FIRST: Duration = Duration::from_secs(30);

/// Bytes per second that he must keep up in each [`Pressure::window`] while others wait.
const CROWDED_RATE: u64 = 1 << 20;

/// Such a window.
const WINDOW: Duration = Duration::from_secs(30);

/// Whoever found no turn waits for so long: he comes back before.
const WAITS_FOR: Duration = Duration::from_secs(180);

/// Whether somebody waits for a turn to fetch.
#[derive(Debug)]
pub(super) struct Pressure {
    window: Duration,
    /// When somebody found no turn last.
    wanted: Mutex<Option<Instant>>,
}

impl Default for Pressure {
    fn default() -> Self {
        Self { window: WINDOW, wanted: Mutex::default() }
    }
}

impl Pressure {
    /// With windows of another length.
    #[cfg(test)]
    pub(super) fn with_window(window: Duration) -> Self {
        Self { window, ..Self::default() }
    }

    /// Somebody found no turn.
    pub(super) fn note(&self, now: Instant) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    fn is_felt(&self, now: Instant) -> bool {
        let wanted = *self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.is_some_and(|since| now.saturating_duration_since(since) < WAITS_FOR)
    }
}

/// How fast one sender was.
#[derive(Debug)]
pub(super) struct Pace<'a> {
    begun: Instant,
    /// Since when, and from how many bytes on, the present window is counted.
    window: (Instant, u64),
    /// Where others may wait for this one's turn.
    pressure: Option<&'a Pressure>,
}

impl<'a> Pace<'a> {
    /// Of somebody who begins now; he makes room for others under `pressure`, if there is any.
    pub(super) fn begin(now: Instant, pressure: Option<&'a Pressure>) -> Self {
        Self { begun: now, window: (now, 0), pressure }
    }

    /// Whether he is fast enough, now that `len` bytes are there.
    ///
    /// # Errors
    /// In words: he is not.
    pub(super) fn keeps_up(&mut self, len: u64, now: Instant) -> Result<(), String> {
        let took = now.saturating_duration_since(self.begun);
        if took > FIRST + Duration::from_secs(len / LEAST_RATE) {
            return Err(format!("{len} bytes in {} s are too slow", took.as_secs()));
        }
        let Some(pressure) = self.pressure else { return Ok(()) };
        let (since, before) = self.window;
        let window = now.saturating_duration_since(since);
        if window < pressure.window {
            return Ok(());
        }
        let came = len.saturating_sub(before);
        self.window = (now, len);
        let rate = u128::from(came) * 1_000 / window.as_millis().max(1);
        if rate < u128::from(CROWDED_RATE) && pressure.is_felt(now) {
            return Err(format!("{rate} bytes in a second are too slow while others wait for their turn"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn on_average_a_quarter_of_a_mebibyte_in_a_second_is_enough_while_nobody_waits() {
        let (now, pressure) = (Instant::now(), Pressure::default());
        let mut pace = Pace::begin(now, Some(&pressure));
        assert!(pace.keeps_up(0, now + FIRST).is_ok());
        assert!(pace.keeps_up(30 * MIB, now + FIRST + seconds(120)).is_ok());
        let words = pace.keeps_up(30 * MIB, now + FIRST + seconds(121)).unwrap_err();
        assert_eq!(words, "31457280 bytes in 151 s are too slow");
    }

    #[test]
    fn while_others_wait_every_half_minute_brings_a_mebibyte_in_a_second() {
        let (now, pressure) = (Instant::now(), Pressure::default());
        let mut pace = Pace::begin(now, Some(&pressure));
        assert!(pace.keeps_up(MIB, now + seconds(10)).is_ok());
        // What was quick once counts no more.
        assert!(pace.keeps_up(10_000 * MIB, now + seconds(20)).is_ok());
        assert!(pace.keeps_up(10_001 * MIB, now + seconds(30)).is_ok());
        pressure.note(now + seconds(40));
        assert!(pace.keeps_up(10_020 * MIB, now + seconds(59)).is_ok(), "the window is not over");
        let mut other = Pace::begin(now + seconds(30), Some(&pressure));
        assert!(other.keeps_up(30 * MIB, now + seconds(60)).is_ok());
        let words = pace.keeps_up(10_030 * MIB, now + seconds(60)).unwrap_err();
        assert_eq!(words, "1013623 bytes in a second are too slow while others wait for their turn");
        // Whoever waited came back, or went away.
        let mut late = Pace::begin(now + seconds(200), Some(&pressure));
        assert!(late.keeps_up(8 * MIB, now + seconds(230)).is_ok());
        // What a bond depends on makes room for nobody.
        assert!(Pace::begin(now + seconds(30), None).keeps_up(20 * MIB, now + seconds(60)).is_ok());
    }
}
