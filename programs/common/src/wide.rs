//! Unsigned integers of 128 bits in two halves, and the products and quotients that the programs need.
//!
//! The stock BPF backend has no division of 128 bits, so that everything here is built from 32-bit limbs: a product of a
//! 128-bit growth and a 32-bit number of shares has 160 bits.

use core::cmp::Ordering;

use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

use crate::{amount::Amount, error::CommonError};

const LIMB_BITS: u32 = 32;
const LIMB_MASK: u64 = 0xffff_ffff;

/// Windows that [`scale`] accepts are shorter than this many slots.
pub const SCALE_LIMIT: u64 = 1 << 20;

/// A sum of amounts since the beginning: `hi * 2^64 + lo`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable, IdlType)]
pub struct Wide {
    /// The lower 64 bits.
    pub lo: u64,
    /// The upper 64 bits.
    pub hi: u64,
}

impl Wide {
    /// Nothing.
    pub const ZERO: Self = Self { lo: 0, hi: 0 };

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.lo == 0 && self.hi == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`CommonError::Overflow`] beyond 128 bits.
    pub fn plus(self, amount: Amount) -> core::result::Result<Self, CommonError> {
        let (lo, carry) = self.lo.overflowing_add(amount.0);
        let hi = self.hi.checked_add(u64::from(carry)).ok_or(CommonError::Overflow)?;
        Ok(Self { lo, hi })
    }

    /// The difference; `None` when `other` is larger.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        let (lo, borrow) = self.lo.overflowing_sub(other.lo);
        let hi = self.hi.checked_sub(other.hi)?.checked_sub(u64::from(borrow))?;
        Some(Self { lo, hi })
    }

    /// As an amount; `None` when it has more than 64 bits.
    #[must_use]
    pub const fn amount(self) -> Option<Amount> {
        if self.hi == 0 { Some(Amount(self.lo)) } else { None }
    }

    /// Limbs of 32 bits, the lowest first.
    const fn limbs(self) -> [u64; 4] {
        [self.lo & LIMB_MASK, self.lo >> LIMB_BITS, self.hi & LIMB_MASK, self.hi >> LIMB_BITS]
    }
}

impl From<Amount> for Wide {
    fn from(amount: Amount) -> Self {
        Self { lo: amount.0, hi: 0 }
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Wide {
    fn cmp(&self, other: &Self) -> Ordering {
        self.hi.cmp(&other.hi).then(self.lo.cmp(&other.lo))
    }
}

/// `(growth * shares + remainder) / total`, rounded down, and the new remainder, which is smaller than `total`: what
/// `shares` of `total` earned while a pool's revenue grew by `growth`, with what was left over the last time.
///
/// `None` when `total` is zero, when `shares` or `total` has more than 32 bits, when `remainder` is not smaller than
/// `total`, or when the quotient has more than 64 bits.
#[must_use]
pub fn mul_div_rem(growth: Wide, shares: u64, total: u64, remainder: u64) -> Option<(Amount, u64)> {
    if shares > LIMB_MASK || total > LIMB_MASK || remainder >= total {
        return None;
    }
    // Five limbs, the lowest first. A step is at most (2^32 - 1)^2 + 2^32 - 1 < 2^64.
    let mut product = [0u64; 5];
    let mut carry = remainder;
    for (place, limb) in product.iter_mut().zip(growth.limbs()) {
        let step = limb.checked_mul(shares)?.checked_add(carry)?;
        *place = step & LIMB_MASK;
        carry = step >> LIMB_BITS;
    }
    let [first, second, third, fourth, _] = product;
    let mut quotient = [0u64; 5];
    let mut rest = 0u64;
    for (digit, limb) in quotient.iter_mut().zip([carry, fourth, third, second, first]) {
        // rest < total < 2^32, so that a digit has at most 32 bits.
        let current = (rest << LIMB_BITS) | limb;
        *digit = current.checked_div(total)?;
        rest = current.checked_rem(total)?;
    }
    match quotient {
        [0, 0, 0, high, low] => Some((Amount((high << LIMB_BITS) | low), rest)),
        _ => None,
    }
}

/// `amount * elapsed / window`, rounded down: how much of `amount` is released `elapsed` slots into its window.
///
/// `None` unless `elapsed <= window` and `0 < window < 2^20`.
#[must_use]
pub fn scale(amount: Amount, elapsed: u64, window: u64) -> Option<Amount> {
    if elapsed > window || window >= SCALE_LIMIT {
        return None;
    }
    let (whole, rest) = amount.divided(window)?;
    // whole * elapsed <= amount, and rest * elapsed < 2^40.
    let whole = whole.0.checked_mul(elapsed)?;
    let rest = rest.0.checked_mul(elapsed)?.checked_div(window)?;
    whole.checked_add(rest).map(Amount)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wide(value: u128) -> Wide {
        Wide { lo: value as u64, hi: (value >> 64) as u64 }
    }

    /// Base 2^8 long multiplication and division, sharing nothing with the code under test.
    fn oracle(growth: u128, shares: u64, total: u64, remainder: u64) -> Option<(u64, u64)> {
        let mut bytes = [0u32; 24];
        for (i, byte) in growth.to_le_bytes().into_iter().enumerate() {
            for (j, factor) in shares.to_le_bytes().into_iter().enumerate() {
                bytes[i + j] += u32::from(byte) * u32::from(factor);
            }
        }
        for (i, byte) in remainder.to_le_bytes().into_iter().enumerate() {
            bytes[i] += u32::from(byte);
        }
        let mut carry = 0;
        for byte in &mut bytes {
            *byte += carry;
            carry = *byte >> 8;
            *byte &= 0xff;
        }
        assert_eq!(carry, 0);
        let (mut quotient, mut rest) = (std::vec::Vec::new(), 0u128);
        for byte in bytes.into_iter().rev() {
            rest = rest * 256 + u128::from(byte);
            quotient.push((rest / u128::from(total)) as u8);
            rest %= u128::from(total);
        }
        let (high, low) = quotient.split_at(16);
        let low = u64::from_be_bytes(low.try_into().expect("eight bytes"));
        high.iter().all(|byte| *byte == 0).then_some((low, rest as u64))
    }

    #[test]
    fn edges_of_sums() {
        assert_eq!(wide(u128::MAX).plus(Amount(1)), Err(CommonError::Overflow));
        assert_eq!(wide(u128::from(u64::MAX)).plus(Amount(1)), Ok(Wide { lo: 0, hi: 1 }));
        assert_eq!(Wide { lo: 0, hi: 1 }.minus(Wide { lo: 1, hi: 0 }), Some(Wide { lo: u64::MAX, hi: 0 }));
        assert_eq!(Wide::ZERO.minus(Wide { lo: 1, hi: 0 }), None);
        assert_eq!(Wide { lo: 0, hi: 1 }.amount(), None);
        assert_eq!(Wide::from(Amount(7)).amount(), Some(Amount(7)));
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        assert_eq!(mul_div_rem(wide(1), 1, 0, 0), None);
        assert_eq!(mul_div_rem(wide(1), 1 << 32, 1 << 31, 0), None);
        assert_eq!(mul_div_rem(wide(1), 1, 1 << 32, 0), None);
        assert_eq!(mul_div_rem(wide(1), 1, 3, 3), None);
        assert_eq!(mul_div_rem(wide(1 << 64), 1, 1, 0), None);
        assert_eq!(mul_div_rem(wide(u128::MAX), 0xffff_ffff, 0xffff_ffff, 0), None);
        assert_eq!(mul_div_rem(wide(u128::from(u64::MAX)), 7, 7, 6), Some((Amount(u64::MAX), 6)));
        assert_eq!(mul_div_rem(wide((1 << 96) - 1), 1, 0xffff_ffff, 0), None);
        assert_eq!(mul_div_rem(wide((1 << 95) - 1), 1, 0xffff_ffff, 0).map(|found| found.0), {
            let expected = ((1u128 << 95) - 1) / 0xffff_ffff;
            u64::try_from(expected).ok().map(Amount)
        });
    }

    #[test]
    fn windows_that_cannot_be_scaled_are_refused() {
        assert_eq!(scale(Amount(5), 0, 0), None);
        assert_eq!(scale(Amount(5), 3, 2), None);
        assert_eq!(scale(Amount(5), 1, SCALE_LIMIT), None);
        assert_eq!(scale(Amount(u64::MAX), SCALE_LIMIT - 1, SCALE_LIMIT - 1), Some(Amount(u64::MAX)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn sums_are_those_of_u128(a: u128, b: u64, c: u128) {
            prop_assert_eq!(wide(a).plus(Amount(b)).ok(), a.checked_add(u128::from(b)).map(wide));
            prop_assert_eq!(wide(a).minus(wide(c)), a.checked_sub(c).map(wide));
            prop_assert_eq!(wide(a).cmp(&wide(c)), a.cmp(&c));
        }

        #[test]
        fn quotients_are_those_of_long_division(
            growth: u128, bits in 0u32..128, shares in 0u64..1 << 32, total in 1u64..1 << 32, part: u64,
        ) {
            let growth = growth >> bits;
            let remainder = part % total;
            let found = mul_div_rem(wide(growth), shares, total, remainder);
            prop_assert_eq!(found.map(|(amount, rest)| (amount.0, rest)), oracle(growth, shares, total, remainder));
        }

        #[test]
        fn quotients_are_those_of_u128(growth: u64, shares in 0u64..1 << 32, total in 1u64..1 << 32, part: u64) {
            let remainder = part % total;
            let exact = u128::from(growth) * u128::from(shares) + u128::from(remainder);
            let (quotient, rest) = (exact / u128::from(total), exact % u128::from(total));
            let expected = u64::try_from(quotient).ok().map(|quotient| (Amount(quotient), rest as u64));
            prop_assert_eq!(mul_div_rem(wide(u128::from(growth)), shares, total, remainder), expected);
        }

        #[test]
        fn releases_are_those_of_u128(amount: u64, window in 1u64..SCALE_LIMIT, part: u64) {
            let elapsed = part % (window + 1);
            let exact = u128::from(amount) * u128::from(elapsed) / u128::from(window);
            prop_assert_eq!(scale(Amount(amount), elapsed, window).map(|found| u128::from(found.0)), Some(exact));
        }
    }
}
