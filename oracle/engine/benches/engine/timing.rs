//! How long something takes on a machine that others use, too.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Several runs of the same thing.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sample {
    /// The median in milliseconds.
    pub millis: f64,
    /// The quickest in milliseconds: what the machine does when nobody disturbs it.
    pub best_millis: f64,
}

/// `samples` runs, after one that is not counted.
pub(crate) fn sample(samples: usize, mut run: impl FnMut()) -> Sample {
    run();
    summarise((0..samples).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    }))
}

/// Median and least of the durations.
pub(crate) fn summarise(durations: impl IntoIterator<Item = Duration>) -> Sample {
    let mut all: Vec<f64> = durations.into_iter().map(|duration| duration.as_secs_f64() * 1e3).collect();
    all.sort_by(f64::total_cmp);
    let best_millis = all.first().copied().unwrap_or_default();
    Sample { millis: all.get(all.len() / 2).copied().unwrap_or_default(), best_millis }
}

/// Milliseconds that `run` takes, and what it gives.
pub(crate) fn millis<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = run();
    (start.elapsed().as_secs_f64() * 1e3, value)
}

/// Seconds that all threads of this process have spent on processors so far, where Linux tells. On a machine that others
/// use, too, this is what work took; a software driver's work is all in it.
pub(crate) fn busy() -> Option<f64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let nanos = |task: std::io::Result<std::fs::DirEntry>| -> Option<f64> {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    Some(tasks.filter_map(nanos).sum::<f64>() / 1e9)
}
