//! How long a payer waits in all, whatever is waited for.

use std::time::{Duration, Instant};

/// One wait for everything that lies between a payment and its answer: the decision, the nodes that hand it out, the chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    begun: Instant,
    whole: Duration,
}

impl Patience {
    /// So long from now on.
    pub(super) fn new(whole: Duration) -> Self {
        Self { begun: Instant::now(), whole }
    }

    /// How long it has lasted.
    pub(super) fn waited(&self) -> Duration {
        self.begun.elapsed()
    }

    /// How long it lasts still; zero once it is over.
    pub(super) fn left(&self) -> Duration {
        self.whole.saturating_sub(self.waited())
    }

    /// Whether nothing is waited for any more.
    pub(super) fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}
