//! How long a request may take to be prepared.
//!
//! Templates and tokenizers come from anybody. What they may keep is limited by their bytes; how long they may work is
//! limited here, and asked wherever their work repeats. The limit never changes an answer: a request is prepared, or it
//! is refused.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::error::Error;

/// Far beyond what the longest honest request needs.
const LONGEST: Duration = Duration::from_secs(10);

/// What a request that was prepared before may take when nobody may refuse it any more.
const UNHURRIED: Duration = Duration::from_secs(3_600);

thread_local! {
    static LIMIT: Cell<Duration> = const { Cell::new(LONGEST) };
}

/// Does work in which a request that was prepared before is prepared again without haste, for instance after a restart: how busy
/// the machine is must not decide over an answer on which something was staked.
pub fn unhurried<T>(work: impl FnOnce() -> T) -> T {
    /// Whatever becomes of the work, the thread is hurried again after it.
    struct Hurried;
    impl Drop for Hurried {
        fn drop(&mut self) {
            LIMIT.set(LONGEST);
        }
    }
    let _hurried = Hurried;
    LIMIT.set(UNHURRIED);
    work()
}

/// The time that is left for one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    until: Instant,
}

impl Patience {
    /// Begins to count.
    pub(crate) fn new() -> Self {
        Self { until: Instant::now() + LIMIT.get() }
    }

    /// Whether nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Fails when nothing is left.
    ///
    /// # Errors
    /// [`Error::Preparation`].
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_over() { Err(Self::error()) } else { Ok(()) }
    }

    /// What is said then.
    pub(crate) fn error() -> Error {
        Error::Preparation(format!("it takes more than {} s", LONGEST.as_secs()))
    }

    /// Nothing is left, for tests.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { until: Instant::now() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_unhurried_has_more_time_than_others() {
        let left = || Patience::new().until.saturating_duration_since(Instant::now());
        assert!(left() <= LONGEST);
        assert!(unhurried(left) > LONGEST);
        assert!(left() <= LONGEST);
        assert!(std::panic::catch_unwind(|| unhurried(|| panic!("it fails"))).is_err());
        assert!(left() <= LONGEST);
    }
}
