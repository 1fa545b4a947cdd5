//! The scalar operations of int-v1. `docs/INT_V1.md` states them in words, with known answers.
//!
//! Every intermediate value is an `i32` or a `u32`, sums and products wrap modulo 2^32 and no operation has an
//! undefined case, so a kernel that has only 32-bit integers computes the same bits for ANY data. An importer chooses
//! scales so that nothing wraps or saturates where it should not; that is a matter of quality, never of agreement.

pub mod known;
mod wide;

pub use wide::{
    SPLIT_MAX, WIDE_MAX, WideSum, clamp_split, clamp_wide, context_wide, interpolate, join, rotate, row_shift, split,
};

/// Largest magnitude of an `i8` activation: the range is symmetric, so that a negation never saturates.
pub const I8_MAX: i32 = 127;
/// Largest magnitude of a value of an `i16` stream.
pub const I16_MAX: i32 = 32_767;
/// Fraction bits of a normalised value, see [`normalise`].
pub const NORM_BITS: i32 = 20;
/// The weight that `exp_weight` gives to the largest score of a row.
pub const EXP_ONE: i32 = 16_383;
/// Fraction bits of an attention context, see [`context`].
pub const CONTEXT_BITS: i32 = 8;

/// floor(a * m / 2^16) for -2^15 <= m < 2^15, through two products that fit 32 bits.
#[inline]
pub const fn mul16(a: i32, m: i32) -> i32 {
    let high = (a >> 16).wrapping_mul(m);
    let low = (a & 0xffff).wrapping_mul(m) >> 16;
    high.wrapping_add(low)
}

/// x / 2^bits, rounded to the nearest, ties towards positive infinity; `bits` counts modulo 32.
#[inline]
pub const fn round_shift(x: i32, bits: u32) -> i32 {
    let half = (1u32.wrapping_shl(bits) >> 1) as i32;
    x.wrapping_add(half).wrapping_shr(bits)
}

/// x clamped to -127..=127.
#[inline]
pub const fn clamp_i8(x: i32) -> i32 {
    clamp(x, -I8_MAX, I8_MAX)
}

/// x clamped to -32767..=32767.
#[inline]
pub const fn clamp_i16(x: i32) -> i32 {
    clamp(x, -I16_MAX, I16_MAX)
}

/// x clamped to low..=high.
#[inline]
pub const fn clamp(x: i32, low: i32, high: i32) -> i32 {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

/// A scale, packed in 32 bits: x * multiplier * 2^left / 2^(16 + right).
///
/// Bits 0..16 hold the multiplier as a signed 16-bit integer, bits 16..21 `right`, bits 24..29 `left`, the rest is zero.
/// Every bit pattern has a meaning, so hostile data cannot make two machines disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(pub u32);

impl Scale {
    /// A scale from its parts; `right` and `left` count modulo 32.
    #[inline]
    pub const fn new(multiplier: i16, right: u32, left: u32) -> Self {
        Self(multiplier as u16 as u32 | (right & 31) << 16 | (left & 31) << 24)
    }

    /// The signed multiplier.
    #[inline]
    pub const fn multiplier(self) -> i32 {
        self.0 as u16 as i16 as i32
    }

    /// The rounding shift to the right, after the product.
    #[inline]
    pub const fn right(self) -> u32 {
        (self.0 >> 16) & 31
    }

    /// The shift to the left, before the product.
    #[inline]
    pub const fn left(self) -> u32 {
        (self.0 >> 24) & 31
    }

    /// round(x * 2^left * multiplier / 2^(16 + right)), ties towards positive infinity.
    ///
    /// Exact when |x| * 2^left < 2^31 and the product over 2^16 is below 2^31 - 2^(right - 1); wraps otherwise.
    /// With `right` = 0 it rounds down, because nothing is left to round.
    #[inline]
    pub const fn apply(self, x: i32) -> i32 {
        round_shift(mul16(x.wrapping_shl(self.left()), self.multiplier()), self.right())
    }
}

/// floor(sqrt(v)) by sixteen fixed steps.
#[inline]
pub const fn isqrt(v: u32) -> u32 {
    let mut root = 0u32;
    let mut bit = 15i32;
    while bit >= 0 {
        let tried = root | 1 << bit;
        if tried * tried <= v {
            root = tried;
        }
        bit -= 1;
    }
    root
}

/// The sum of squares of a row, kept in two words that cannot overflow for rows of up to 65,536 values below 2^16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SquareSum {
    /// The sum of the squares' low 16 bits.
    pub low: u32,
    /// The sum of the squares' high 16 bits.
    pub high: u32,
}

impl SquareSum {
    /// Adds d * d, for |d| < 2^16. Order does not matter.
    #[inline]
    pub const fn add(self, d: i32) -> Self {
        let square = (d as u32).wrapping_mul(d as u32);
        Self { low: self.low.wrapping_add(square & 0xffff), high: self.high.wrapping_add(square >> 16) }
    }

    /// Adds floor((high * 2^32 + low) / 4^shift), for `shift` <= 15 and a quotient below 2^48: the epsilon of a
    /// normalisation whose row was shifted to the right by `shift`.
    #[inline]
    pub const fn add_epsilon(self, low: u32, high: u32, shift: u32) -> Self {
        let bits = (2 * shift) & 31;
        let bottom = if bits == 0 { low } else { low >> bits | high << (32 - bits) };
        let top = high >> bits;
        Self {
            low: self.low.wrapping_add(bottom & 0xffff),
            high: self.high.wrapping_add(bottom >> 16).wrapping_add(top << 16),
        }
    }

    /// The sum of two sums.
    #[inline]
    pub const fn merge(self, other: Self) -> Self {
        Self { low: self.low.wrapping_add(other.low), high: self.high.wrapping_add(other.high) }
    }

    /// The factor that brings the row to length one.
    #[inline]
    pub const fn inverse_root(self) -> InverseRoot {
        // The sum is top * 2^32 + bottom.
        let carried = self.high.wrapping_add(self.low >> 16);
        let top = carried >> 16;
        let bottom = carried << 16 | self.low & 0xffff;
        if top == 0 && bottom == 0 {
            return InverseRoot { factor: 0, exponent: 0 };
        }
        // Bring it to v = sum / 2^(2 exponent) with 2^30 <= v < 2^32.
        let (v, exponent) = if top == 0 {
            let half = (bottom.leading_zeros() / 2) as i32;
            (bottom << (2 * half), -half)
        } else {
            let half = (33 - top.leading_zeros() as i32) / 2;
            (top << (32 - 2 * half) | bottom >> (2 * half), half)
        };
        // 2^15 <= root < 2^16, so 2^14 <= 2^30 / root <= 2^15.
        let factor = (1 << 30) / isqrt(v);
        InverseRoot { factor: if factor > 32_767 { 32_767 } else { factor as i32 }, exponent }
    }
}

/// 1 / sqrt(sum) = factor / 2^(30 + exponent), with 15 bits in the factor; a factor of zero stands for an empty row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InverseRoot {
    /// 0, or 2^14..=2^15 - 1.
    pub factor: i32,
    /// -15..=16.
    pub exponent: i32,
}

/// d / sqrt(sum of squares) with `bits` fraction bits (at most 20), ties towards positive infinity, for |d| < 2^16.
///
/// The magnitude never exceeds 2^bits by more than rounding, because no element is longer than its row.
#[inline]
pub const fn normalise(d: i32, inverse: InverseRoot, bits: i32) -> i32 {
    // d * factor / 4, which fits because |d| < 2^16 and factor < 2^15.
    let product = mul16(d.wrapping_shl(14), inverse.factor);
    let right = 28 + inverse.exponent - bits;
    if right >= 0 { round_shift(product, right as u32) } else { product.wrapping_shl((-right) as u32) }
}

/// The mean of `count` values of an `i16` stream from their sum, ties towards positive infinity.
#[inline]
pub const fn mean(sum: i32, count: u32) -> i32 {
    // The offset makes the dividend positive; it is a multiple of the divisor, so it comes out whole.
    let shifted = (sum as u32).wrapping_add(count.wrapping_shl(15)).wrapping_add(count >> 1);
    (shifted / if count == 0 { 1 } else { count }) as i32 - 32_768
}

/// The index into the exponential's table for a score that is `below` (>= 0) the row's largest.
#[inline]
pub const fn exp_index(below: i32, scale: Scale, table_len: u32) -> u32 {
    let index = scale.apply(below);
    // A negative index is a large one as u32.
    if index as u32 >= table_len { table_len - 1 } else { index as u32 }
}

/// The index into an activation's table of `len` entries (a power of two) that is centred on zero.
#[inline]
pub const fn table_index(x: i32, len: u32) -> u32 {
    let half = (len / 2) as i32;
    (clamp(x, -half, half - 1) + half) as u32
}

/// 1 / total = factor / 2^(29 + exponent) for a total of softmax weights, 2^14 - 1 <= total < 2^31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reciprocal {
    /// 2^14..=2^15 - 1.
    pub factor: i32,
    /// 0..=16.
    pub exponent: u32,
}

/// The reciprocal of a total of softmax weights.
#[inline]
pub const fn reciprocal(total: u32) -> Reciprocal {
    // Totals below 2^14 (one weight of 2^14 - 1, or hostile tables) count as 2^14.
    let total = if total < 1 << 14 { 1 << 14 } else { total };
    let exponent = 17 - total.leading_zeros();
    let factor = (1u32 << 29) / (total >> exponent);
    Reciprocal { factor: if factor > 32_767 { 32_767 } else { factor as i32 }, exponent }
}

/// weighted sum / total with [`CONTEXT_BITS`] fraction bits, ties towards positive infinity.
#[inline]
pub const fn context(weighted: i32, total: Reciprocal) -> i32 {
    round_shift(mul16(weighted, total.factor), 5 + total.exponent)
}
