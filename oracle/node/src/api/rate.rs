//! How often somebody may ask: a bucket for each, which fills at a steady rate.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Buckets that are kept; more than that and somebody's is forgotten, in whose favour that is.
const MOST: usize = 8_192;

/// One bucket for each key.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    /// What fits.
    burst: f64,
    /// What flows in each second.
    per_second: f64,
    levels: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Hash + Eq + Copy> Buckets<K> {
    pub(super) fn new(burst: u32, per_second: u32) -> Self {
        Self { burst: f64::from(burst), per_second: f64::from(per_second), levels: Mutex::default() }
    }

    /// Takes one out.
    ///
    /// # Errors
    /// The seconds until there is one again.
    pub(super) fn take(&self, key: K) -> Result<(), u64> {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: K, now: Instant) -> Result<(), u64> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level_now = |(level, since): (f64, Instant)| {
            let flowed = now.saturating_duration_since(since).as_secs_f64() * self.per_second;
            (level + flowed).min(self.burst)
        };
        if levels.len() >= MOST && !levels.contains_key(&key) {
            levels.retain(|_, level| level_now(*level) < self.burst);
            if levels.len() >= MOST
                && let Some(some) = levels.keys().next().copied()
            {
                levels.remove(&some);
            }
        }
        let entry = levels.entry(key).or_insert((self.burst, now));
        let level = level_now(*entry);
        if level < 1.0 {
            // At least a second, and less than a bucket takes to fill.
            return Err(((1.0 - level) / self.per_second).ceil() as u64);
        }
        *entry = (level - 1.0, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_gives_a_burst_and_then_a_rate_and_each_has_his_own() {
        let buckets = Buckets::new(3, 2);
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(buckets.take_at("a", now), Ok(()));
        }
        assert_eq!(buckets.take_at("a", now), Err(1));
        assert_eq!(buckets.take_at("b", now), Ok(()));
        let later = now + Duration::from_secs(1);
        assert_eq!(buckets.take_at("a", later), Ok(()));
        assert_eq!(buckets.take_at("a", later), Ok(()));
        assert_eq!(buckets.take_at("a", later), Err(1));
    }

    #[test]
    fn strangers_without_number_fill_no_memory() {
        let buckets = Buckets::new(1, 1);
        for key in 0..100_000u32 {
            assert_eq!(buckets.take(key), Ok(()));
        }
        assert!(buckets.levels.lock().unwrap().len() <= MOST);
    }
}
