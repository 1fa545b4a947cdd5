//! Money and shares as types that cannot be confused.

use anchor_lang::prelude::*;

use crate::{constants::MAX_TOTAL_SHARES, error::RoyaltyError};

/// Base units of a payment mint: lamports for SOL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub u64);

impl Amount {
    /// No money at all.
    pub const ZERO: Self = Self(0);

    /// Whether there is nothing to move.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Sum, or [`RoyaltyError::AmountOverflow`].
    pub fn plus(self, other: Self) -> Result<Self> {
        let sum = self.0.checked_add(other.0);
        Ok(Self(sum.ok_or(RoyaltyError::AmountOverflow)?))
    }

    /// Difference, or [`RoyaltyError::AmountOverflow`] when it would be negative.
    pub fn minus(self, other: Self) -> Result<Self> {
        let difference = self.0.checked_sub(other.0);
        Ok(Self(difference.ok_or(RoyaltyError::AmountOverflow)?))
    }
}

/// Shares of a pool; always below 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shares(u64);

impl Shares {
    /// Checks the upper bound, [`MAX_TOTAL_SHARES`].
    pub fn new(shares: u64) -> Result<Self> {
        require!(shares <= MAX_TOTAL_SHARES, RoyaltyError::TooManyShares);
        Ok(Self(shares))
    }

    /// The plain number.
    pub fn get(self) -> u64 {
        self.0
    }

    /// Whether there are none.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}
