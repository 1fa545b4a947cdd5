//! What decoders need beyond 16 bits: split activations, a wide residual stream, exact sums over long contexts.

use super::{Reciprocal, clamp, clamp_i16, mul16, round_shift};

/// Largest magnitude of a value of a split activation, which is two signed bytes, see [`split`].
pub const SPLIT_MAX: i32 = 32_639;
/// Largest magnitude of a value of a wide stream.
pub const WIDE_MAX: i32 = (1 << 26) - 1;

/// x clamped to -32639..=32639.
#[inline]
pub const fn clamp_split(x: i32) -> i32 {
    clamp(x, -SPLIT_MAX, SPLIT_MAX)
}

/// x clamped to -(2^26 - 1)..=2^26 - 1.
#[inline]
pub const fn clamp_wide(x: i32) -> i32 {
    clamp(x, -WIDE_MAX, WIDE_MAX)
}

/// (high, low) with x = 256 * high + low, for |x| <= [`SPLIT_MAX`]: -127 <= high <= 127, -128 <= low <= 127.
#[inline]
pub const fn split(x: i32) -> (i32, i32) {
    let high = x.wrapping_add(128) >> 8;
    (high, x.wrapping_sub(high << 8))
}

/// The accumulator of a split activation's product, in units of 256, from the sums over its high and its low bytes.
#[inline]
pub const fn join(high: i32, low: i32) -> i32 {
    high.wrapping_add(round_shift(low, 8))
}

/// The pair (a, b) turned by an angle whose cosine and sine have 15 fraction bits; each part rounded once.
#[inline]
pub const fn rotate(a: i32, b: i32, cos: i32, sin: i32) -> (i32, i32) {
    let x = a.wrapping_mul(cos).wrapping_sub(b.wrapping_mul(sin));
    let y = b.wrapping_mul(cos).wrapping_add(a.wrapping_mul(sin));
    (round_shift(x, 15), round_shift(y, 15))
}

/// The value at x, clamped to the `i16` range, of a function given by 2^k + 1 equidistant values (2 <= k <= 15) from
/// -2^15 to 2^15: between two of them a line, rounded once.
#[inline]
pub const fn interpolate(table: &[i32], x: i32) -> i32 {
    let bits = 16 - (table.len() as u32 - 1).trailing_zeros();
    let at = (clamp_i16(x) + 32_768) as u32;
    let (i, part) = ((at >> bits) as usize, (at & ((1 << bits) - 1)) as i32);
    let left = table[i].wrapping_mul((1 << bits) - part);
    round_shift(left.wrapping_add(table[i + 1].wrapping_mul(part)), bits)
}

/// The shift that brings a row whose largest magnitude is `largest` (< 2^31) to at most 2^15, rounding included.
#[inline]
pub const fn row_shift(largest: u32) -> u32 {
    17u32.saturating_sub(largest.leading_zeros())
}

/// An exact sum of up to 65,536 partial sums of 32 bits each: high * 2^16 + low.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WideSum {
    /// The sum of the partial sums' low 16 bits.
    pub low: u32,
    /// The sum of the partial sums, each shifted to the right by 16.
    pub high: i32,
}

impl WideSum {
    /// Adds a partial sum. Which values it covers does not matter, nor does the order.
    #[inline]
    pub const fn add(self, partial: i32) -> Self {
        let low = self.low.wrapping_add(partial as u32 & 0xffff);
        Self { low, high: self.high.wrapping_add(partial >> 16) }
    }

    /// The sum of two sums.
    #[inline]
    pub const fn merge(self, other: Self) -> Self {
        Self { low: self.low.wrapping_add(other.low), high: self.high.wrapping_add(other.high) }
    }
}

/// weighted sum / total with [`super::CONTEXT_BITS`] fraction bits, ties towards positive infinity, for
/// |sum| <= 127 * total: the sum is first cut, downwards, to the bits that the total has.
#[inline]
pub const fn context_wide(sum: WideSum, total: Reciprocal) -> i32 {
    let high = sum.high.wrapping_add((sum.low >> 16) as i32);
    let low = sum.low & 0xffff;
    let cut = high.wrapping_shl(16 - total.exponent).wrapping_add((low >> total.exponent) as i32);
    round_shift(mul16(cut.wrapping_shl(8), total.factor), 13)
}
