//! Revenue per share as a Q64.64 number whose division remainder is carried, so that no unit is ever lost.
//!
//! A deposit of `amount` raises `acc` by `(amount * 2^64 + remainder) / total_shares`. A position that entered at `entry`
//! has since earned `shares * (acc - entry)`, in units of 2^-64. Both operations are exact, hence at every moment
//!
//! ```text
//! sum over positions of (shares * (acc - entry) + fraction + accrued * 2^64 + claimed * 2^64) + remainder = received * 2^64
//! ```
//!
//! The products and the quotient are built from 32-bit limbs, because stock LLVM's BPF backend has no 128-bit division
//! and no widening product. This is what limits a pool to fewer than 2^32 shares.

use crate::amount::{Amount, Shares};

const LIMB_BITS: u32 = 32;
const LIMB_MASK: u64 = 0xffff_ffff;

/// An accumulator and the remainder of its last division, which is below the pool's total shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accumulator {
    /// Revenue per share since the pool began, Q64.64.
    pub per_share: u128,
    /// What the last division left over, in units of 2^-64.
    pub remainder: u64,
}

impl Accumulator {
    /// Distributes `amount` over `total` shares; `None` when the accumulator would overflow or `total` is zero.
    ///
    /// Neither can happen while a pool's lifetime revenue fits 64 bits and its total is checked at creation.
    #[must_use]
    pub fn distribute(self, amount: Amount, total: Shares) -> Option<Self> {
        let divisor = total.get();
        // `remainder < divisor < 2^32`, and the low half of `amount * 2^64` is zero: the remainder IS the lowest limb.
        let limbs = [amount.0 >> LIMB_BITS, amount.0 & LIMB_MASK, 0, self.remainder];
        let mut quotient = [0u64; 4];
        let mut rest = 0u64;
        for (digit, limb) in quotient.iter_mut().zip(limbs) {
            let current = (rest << LIMB_BITS) | limb;
            *digit = current.checked_div(divisor)?;
            rest = current.checked_rem(divisor)?;
        }
        let high = (quotient[0] << LIMB_BITS) | quotient[1];
        let low = (quotient[2] << LIMB_BITS) | quotient[3];
        let per_share = self.per_share.checked_add(join(high, low))?;
        Some(Self { per_share, remainder: rest })
    }

    /// What `shares` earned since `entry`, added to an earlier `fraction` of a unit: whole units and the new fraction.
    ///
    /// `None` when `entry` lies ahead of the accumulator or the product overflows; neither can happen to a position that
    /// only this program wrote.
    #[must_use]
    pub fn earned(self, entry: u128, shares: Shares, fraction: u64) -> Option<(Amount, u64)> {
        let growth = self.per_share.checked_sub(entry)?;
        let (high, low) = split(growth);
        let limbs = [low & LIMB_MASK, low >> LIMB_BITS, high & LIMB_MASK, high >> LIMB_BITS];
        let mut product = [0u64; 4];
        let mut carry = 0u64;
        for (digit, limb) in product.iter_mut().zip(limbs) {
            // (2^32 - 1)^2 + 2^32 - 1 < 2^64.
            let current = limb.checked_mul(shares.get())?.checked_add(carry)?;
            *digit = current & LIMB_MASK;
            carry = current >> LIMB_BITS;
        }
        if carry != 0 {
            return None;
        }
        let low = (product[1] << LIMB_BITS) | product[0];
        let high = (product[3] << LIMB_BITS) | product[2];
        let (fraction, wrapped) = low.overflowing_add(fraction);
        Some((Amount(high.checked_add(u64::from(wrapped))?), fraction))
    }
}

/// The two halves of a 128-bit number, high first.
fn split(value: u128) -> (u64, u64) {
    let bytes = value.to_le_bytes();
    let mut low = [0; 8];
    let mut high = [0; 8];
    low.copy_from_slice(&bytes[..8]);
    high.copy_from_slice(&bytes[8..]);
    (u64::from_le_bytes(high), u64::from_le_bytes(low))
}

/// A 128-bit number from its halves.
fn join(high: u64, low: u64) -> u128 {
    (u128::from(high) << 64) | u128::from(low)
}
