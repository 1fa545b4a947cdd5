//! How often work was lost because a seat was gone when its answer was ready.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So often within [`LATELY`] is too often.
const OFTEN: usize = 8;
/// What happened longer ago is forgotten.
const LATELY: Duration = Duration::from_secs(600);

/// The last losses.
#[derive(Debug, Default)]
pub(super) struct Wasted {
    when: Mutex<VecDeque<Instant>>,
}

impl Wasted {
    /// It happened again.
    pub(super) fn note(&self) {
        let mut when = self.when.lock().unwrap_or_else(PoisonError::into_inner);
        when.push_back(Instant::now());
        while when.len() > OFTEN {
            when.pop_front();
        }
    }

    /// Whether it happens so often that seats are taken first.
    pub(super) fn is_often(&self) -> bool {
        let when = self.when.lock().unwrap_or_else(PoisonError::into_inner);
        when.len() == OFTEN && when.front().is_some_and(|first| first.elapsed() < LATELY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_losses_in_ten_minutes_are_often() {
        let wasted = Wasted::default();
        for _ in 0..7 {
            wasted.note();
        }
        assert!(!wasted.is_often());
        wasted.note();
        assert!(wasted.is_often());
        wasted.note();
        assert_eq!(wasted.when.lock().expect("nobody panics").len(), OFTEN);
    }
}
