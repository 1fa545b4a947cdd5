//! The generator's random choices.

use super::Generator;

impl Generator {
    pub(super) fn next(&mut self) -> u64 {
        self.random.word()
    }

    /// Below a number.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.random.below(end)
    }

    /// Once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these, if there is one.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[self.below(from.len())]) }
    }

    /// One of these.
    pub(super) fn one_of<T: Copy, const N: usize>(&mut self, from: [T; N]) -> T {
        from[self.below(N)]
    }
}
