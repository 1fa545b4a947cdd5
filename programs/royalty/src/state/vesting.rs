use anchor_lang::{
    bytemuck::{Pod, Zeroable},
    prelude::*,
};
use provena_common::slot::Slot;

use crate::{constants::MAX_VESTING, error::RoyaltyError, shares::Shares};

/// Shares that their holder may not move yet: all until `start`, none from `end` on, and linearly fewer in between. They
/// earn like any others. All zeros when everything may be moved.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Vesting {
    /// Shares locked at the start.
    pub total: u64,
    /// Last slot at which all are locked.
    pub start: u64,
    /// First slot at which none are.
    pub end: u64,
}

impl Vesting {
    /// No lock.
    pub const NONE: Self = Self { total: 0, start: 0, end: 0 };

    /// Checks the terms of a holder of `shares`.
    ///
    /// # Errors
    /// [`RoyaltyError::WrongVesting`] when more is locked than held, or when the slots do not make a period of 1 to
    /// [`MAX_VESTING`].
    pub fn check(&self, shares: Shares) -> Result<()> {
        let length = self.end.checked_sub(self.start);
        let fits = length.is_some_and(|length| (1..=MAX_VESTING).contains(&length));
        let sound = *self == Self::NONE || (fits && self.total > 0 && self.total <= shares.get());
        require!(sound, RoyaltyError::WrongVesting);
        Ok(())
    }

    /// Shares still locked at `now`, rounded up.
    ///
    /// # Errors
    /// [`RoyaltyError::BrokenInvariant`] for terms that [`Vesting::check`] refuses.
    pub fn locked_at(&self, now: Slot) -> Result<Shares> {
        let (start, end) = (Slot(self.start), Slot(self.end));
        if self.total == 0 || now >= end {
            return Ok(Shares::ZERO);
        }
        if now <= start {
            return Shares::new(self.total);
        }
        // Both factors are below 2^32.
        let parts = self.total.checked_mul(end.since(now));
        let locked = parts.and_then(|parts| Some(parts.div_ceil(Some(end.since(start)).filter(|length| *length > 0)?)));
        Shares::new(locked.ok_or(RoyaltyError::BrokenInvariant)?)
    }
}
