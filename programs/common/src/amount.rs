//! Money, shares of it and units of work as types that cannot be confused.

use crate::error::CommonError;

/// One whole in basis points, as the divisor that 64-bit products use.
const WHOLE: u64 = 10_000;

/// Base units of a payment mint: lamports for SOL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u64);

/// A share in basis points; at most 10,000, [`Bps::FULL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bps(u16);

/// Units of work: pictures classified, texts embedded, tokens read or written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Units(pub u32);

impl Bps {
    /// All of it.
    pub const FULL: Self = Self(10_000);
    /// Nothing of it.
    pub const ZERO: Self = Self(0);

    /// Checks the bound.
    ///
    /// # Errors
    /// [`CommonError::BpsTooHigh`] above 10,000.
    pub const fn new(bps: u16) -> Result<Self, CommonError> {
        if bps > Self::FULL.0 { Err(CommonError::BpsTooHigh) } else { Ok(Self(bps)) }
    }

    /// The plain number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Units {
    /// No work.
    pub const ZERO: Self = Self(0);

    /// Whether there is no work.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Amount {
    /// No money at all.
    pub const ZERO: Self = Self(0);

    /// Whether there is nothing to move.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`CommonError::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, CommonError> {
        self.0.checked_add(other.0).map(Self).ok_or(CommonError::Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`CommonError::Overflow`] when `other` is larger.
    pub fn minus(self, other: Self) -> Result<Self, CommonError> {
        self.0.checked_sub(other.0).map(Self).ok_or(CommonError::Overflow)
    }

    /// The difference, or nothing when `other` is larger.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The price of `units`, where `self` is the price of one.
    ///
    /// # Errors
    /// [`CommonError::Overflow`].
    pub fn times(self, units: Units) -> Result<Self, CommonError> {
        self.0.checked_mul(u64::from(units.0)).map(Self).ok_or(CommonError::Overflow)
    }

    /// `self * bps / 10,000`, rounded down, without a product wider than 64 bits.
    #[must_use]
    pub fn portion(self, bps: Bps) -> Self {
        self.part(bps, 0)
    }

    /// `self * bps / 10,000`, rounded up, without a product wider than 64 bits. Never more than `self`.
    #[must_use]
    pub fn portion_up(self, bps: Bps) -> Self {
        self.part(bps, 9_999)
    }

    /// The portion, with `rounding` of 10,000 parts added before the division. Nothing here can overflow or wrap, because
    /// `bps` is at most 10,000: `high * share <= self`, `low * share < 10^8`, and the sum is at most `self`.
    fn part(self, bps: Bps, rounding: u64) -> Self {
        let share = u64::from(bps.0);
        let (high, low) = (self.0 / WHOLE, self.0 % WHOLE);
        let low = low.saturating_mul(share).saturating_add(rounding) / WHOLE;
        Self(high.saturating_mul(share).saturating_add(low))
    }

    /// `count` equal parts, each rounded down, and the indivisible rest; `None` when `count` is zero.
    #[must_use]
    pub fn divided(self, count: u64) -> Option<(Self, Self)> {
        Some((Self(self.0.checked_div(count)?), Self(self.0.checked_rem(count)?)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sums_differences_and_products_are_checked() {
        assert_eq!(Amount(3).plus(Amount(4)), Ok(Amount(7)));
        assert_eq!(Amount(u64::MAX).plus(Amount(1)), Err(CommonError::Overflow));
        assert_eq!(Amount(3).minus(Amount(3)), Ok(Amount::ZERO));
        assert_eq!(Amount(3).minus(Amount(4)), Err(CommonError::Overflow));
        assert_eq!(Amount(3).less(Amount(4)), Amount::ZERO);
        assert_eq!(Amount(3).times(Units(5)), Ok(Amount(15)));
        assert_eq!(Amount(u64::MAX).times(Units(2)), Err(CommonError::Overflow));
        assert_eq!(Amount(11).divided(5), Some((Amount(2), Amount(1))));
        assert_eq!(Amount(11).divided(0), None);
    }

    #[test]
    fn basis_points_end_at_one_whole() {
        assert_eq!(Bps::new(10_000), Ok(Bps::FULL));
        assert_eq!(Bps::new(10_001), Err(CommonError::BpsTooHigh));
    }

    #[test]
    fn portions_at_the_edges() {
        let bps = |bps| Bps::new(bps).expect("at most 10,000");
        assert_eq!(Amount(9_999).portion(bps(1)), Amount(0));
        assert_eq!(Amount(9_999).portion_up(bps(1)), Amount(1));
        assert_eq!(Amount(10_000).portion_up(bps(1)), Amount(1));
        assert_eq!(Amount(10_001).portion_up(bps(1)), Amount(2));
        assert_eq!(Amount(u64::MAX).portion(Bps::FULL), Amount(u64::MAX));
        assert_eq!(Amount(u64::MAX).portion_up(Bps::FULL), Amount(u64::MAX));
        assert_eq!(Amount(u64::MAX).portion_up(Bps::ZERO), Amount(0));
        assert_eq!(Amount::ZERO.portion_up(Bps::FULL), Amount(0));
    }

    proptest! {
        #[test]
        fn portions_are_those_of_wide_arithmetic(amount: u64, bps in 0u16..=10_000) {
            let exact = u128::from(amount) * u128::from(bps);
            let share = Bps::new(bps).expect("at most 10,000");
            prop_assert_eq!(u128::from(Amount(amount).portion(share).0), exact / 10_000);
            prop_assert_eq!(u128::from(Amount(amount).portion_up(share).0), exact.div_ceil(10_000));
        }

        #[test]
        fn parts_add_up(amount: u64, count in 1u64..=u64::MAX) {
            let (part, rest) = Amount(amount).divided(count).expect("count > 0");
            prop_assert_eq!(u128::from(part.0) * u128::from(count) + u128::from(rest.0), u128::from(amount));
        }
    }
}
