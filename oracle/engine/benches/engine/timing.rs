//! How long something takes on a machine that others use, too.

use std::time::{Duration, Instant};

/// Median and least of `samples` runs, after one that is not counted.
pub fn sample(samples: usize, mut run: impl FnMut()) -> (Duration, Duration) {
    run();
    summarise((0..samples).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    }))
}

/// Median and least of the durations.
pub fn summarise(durations: impl Iterator<Item = Duration>) -> (Duration, Duration) {
    let mut all: Vec<Duration> = durations.collect();
    all.sort();
    (all.get(all.len() / 2).copied().unwrap_or_default(), all.first().copied().unwrap_or_default())
}

/// Milliseconds that `run` takes, and what it gives.
pub fn millis<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = run();
    (start.elapsed().as_secs_f64() * 1e3, value)
}
