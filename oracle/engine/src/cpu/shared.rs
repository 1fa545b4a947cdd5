//! A slice that several threads write, each its own part.

use std::{marker::PhantomData, ops::Range};

/// A mutable slice without the promise that only one thread has it.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a, T> {
    at: *mut T,
    len: usize,
    life: PhantomData<&'a mut [T]>,
}

// SAFETY: it gives out mutable references only through `part`, whose callers promise that no two overlap, as if the slice
// had been split.
unsafe impl<T: Send> Sync for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    /// Takes a slice for as long as threads write it.
    pub(super) fn new(slice: &'a mut [T]) -> Self {
        Self { at: slice.as_mut_ptr(), len: slice.len(), life: PhantomData }
    }

    /// A part of it.
    ///
    /// # Safety
    /// No two parts that exist at the same time may overlap.
    ///
    /// # Panics
    /// When the part is not inside the slice.
    #[expect(clippy::mut_from_ref, reason = "the caller promises that parts do not overlap")]
    pub(super) unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "a part outside of its slice");
        // SAFETY: the range is inside the slice, which is borrowed for 'a, and nobody else has this part.
        unsafe { std::slice::from_raw_parts_mut(self.at.add(range.start), range.len()) }
    }
}
