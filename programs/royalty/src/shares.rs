//! Shares of a pool as a type that cannot be confused with money.

use anchor_lang::prelude::*;

use crate::{constants::MAX_TOTAL_SHARES, error::RoyaltyError};

/// Shares of a pool; always fewer than 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shares(u64);

impl Shares {
    /// None.
    pub const ZERO: Self = Self(0);

    /// Checks the upper bound, [`MAX_TOTAL_SHARES`].
    ///
    /// # Errors
    /// [`RoyaltyError::TooManyShares`].
    pub fn new(shares: u64) -> Result<Self> {
        require!(shares <= MAX_TOTAL_SHARES, RoyaltyError::TooManyShares);
        Ok(Self(shares))
    }

    /// The plain number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`RoyaltyError::TooManyShares`].
    pub fn plus(self, other: Self) -> Result<Self> {
        Self::new(self.0.saturating_add(other.0))
    }

    /// The difference.
    ///
    /// # Errors
    /// [`RoyaltyError::NotEnoughShares`] when `other` is larger.
    pub fn minus(self, other: Self) -> Result<Self> {
        let left = self.0.checked_sub(other.0);
        Ok(Self(left.ok_or(RoyaltyError::NotEnoughShares)?))
    }

    /// The difference, or none when `other` is larger.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
