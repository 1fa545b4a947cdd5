//! What a position earned between two moments, to the last unit.
//!
//! A pool's shares never change in number, so revenue per share needs no quotient of its own: the accumulator is the
//! pool's revenue since the beginning, and a position that entered at `entry` has since earned
//! `shares * (received - entry) / total` base units. The division happens only where a position is settled, and its
//! remainder, in units of `1/total`, stays with the position. Hence at every moment, exactly,
//!
//! ```text
//! sum over positions of (shares * (received - entry) + remainder) / total + accrued + claimed = received
//! ```
//!
//! A rounded quotient, such as Q64.64, would conserve the sum as well, but it would owe nearly every holder one unit less
//! than its share until a later deposit.
//!
//! Products and quotients are built from 32-bit limbs, because the stock BPF backend has no 128-bit division. This is what
//! limits a pool to fewer than 2^32 shares.

use crate::amount::{Amount, Shares};

const LIMB_BITS: u32 = 32;
const LIMB_MASK: u64 = 0xffff_ffff;

/// What `shares` of `total` earned while the pool's revenue grew from `entry` to `received`, added to an earlier
/// `remainder`: whole base units, and the new remainder in units of `1/total`.
///
/// `None` when `entry` lies ahead of `received`, when `total` is zero, or when the result exceeds 64 bits; none of this can
/// happen to accounts that only this program wrote, because `shares <= total` and `remainder < total`.
#[must_use]
pub fn earned(received: Amount, entry: Amount, shares: Shares, total: Shares, remainder: u64) -> Option<(Amount, u64)> {
    let growth = received.0.checked_sub(entry.0)?;
    // shares * growth + remainder, in three limbs: (2^32 - 1)^2 + 2^32 - 1 < 2^64.
    let low = (growth & LIMB_MASK).checked_mul(shares.get())?.checked_add(remainder)?;
    let high = (growth >> LIMB_BITS).checked_mul(shares.get())?.checked_add(low >> LIMB_BITS)?;
    let mut quotient = [0u64; 3];
    let mut rest = 0u64;
    for (digit, limb) in quotient.iter_mut().zip([high >> LIMB_BITS, high & LIMB_MASK, low & LIMB_MASK]) {
        let current = (rest << LIMB_BITS) | limb;
        *digit = current.checked_div(total.get())?;
        rest = current.checked_rem(total.get())?;
    }
    if quotient[0] != 0 {
        return None;
    }
    Some((Amount((quotient[1] << LIMB_BITS) | quotient[2]), rest))
}
