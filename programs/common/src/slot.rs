//! Moments of the chain.

use anchor_lang::prelude::*;

use crate::error::CommonError;

/// A slot of the chain. Windows and ages are plain numbers of slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u64);

impl Slot {
    /// The present slot.
    ///
    /// # Errors
    /// Those of the clock's system call.
    pub fn now() -> Result<Self> {
        Ok(Self(Clock::get()?.slot))
    }

    /// The slot `slots` later.
    ///
    /// # Errors
    /// [`CommonError::Overflow`].
    pub fn after(self, slots: u64) -> core::result::Result<Self, CommonError> {
        self.0.checked_add(slots).map(Self).ok_or(CommonError::Overflow)
    }

    /// Slots since `earlier`; zero when that lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
