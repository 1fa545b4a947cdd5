//! How long a request may take to be prepared.
//!
//! Templates and tokenizers come from anybody. What they may keep is limited by their bytes; how long they may work is
//! limited here, and asked wherever their work repeats. The limit never changes an answer: a request is prepared, or it
//! is refused.

use std::time::{Duration, Instant};

use crate::error::Error;

/// Far beyond what the longest honest request needs.
const LONGEST: Duration = Duration::from_secs(10);

/// The time that is left for one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    until: Instant,
}

impl Patience {
    /// Begins to count.
    pub(crate) fn new() -> Self {
        Self { until: Instant::now() + LONGEST }
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
