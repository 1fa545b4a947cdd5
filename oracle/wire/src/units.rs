//! What work is counted in, and paid by.

use serde::Serialize;

/// Units of work on both sides of a model: pictures, texts or tokens of a prompt go in, generated tokens come out. A
/// classifier or an encoder has no units of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Units {
    /// Units of input that are read.
    pub input: u32,
    /// Units of output that are made.
    pub output: u32,
}

impl Units {
    /// No work.
    pub const ZERO: Self = Self { input: 0, output: 0 };

    /// So many units of input and of output.
    #[must_use]
    pub const fn new(input: u32, output: u32) -> Self {
        Self { input, output }
    }

    /// Of lengths in memory; what 32 bits cannot count is the most that they can.
    pub(crate) fn of(input: usize, output: usize) -> Self {
        let count = |units| u32::try_from(units).unwrap_or(u32::MAX);
        Self { input: count(input), output: count(output) }
    }

    /// Whether there is no work at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.input == 0 && self.output == 0
    }

    /// Whether neither side is more than that of `most`.
    #[must_use]
    pub const fn within(self, most: Self) -> bool {
        self.input <= most.input && self.output <= most.output
    }

    /// Both sides together.
    #[must_use]
    pub fn total(self) -> u64 {
        u64::from(self.input).saturating_add(u64::from(self.output))
    }
}

impl core::fmt::Display for Units {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} in, {} out", self.input, self.output)
    }
}
