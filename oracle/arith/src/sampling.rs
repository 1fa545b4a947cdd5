//! How int-v1 draws a token from logits: temperature, top-k, top-p and chance in integers.
//!
//! Logits are whole numbers of one common step. Everything but the very last step is a maximum, a count or a sum, so
//! the order in which a kernel goes through the vocabulary cannot matter; the last step says its order. Logits that are
//! equal are kept or dropped together.

pub mod known;

use crate::{
    domain,
    fixed::{Scale, exp_index},
    hash::sha256,
};

/// Fraction bits of a top-p, see [`top_p`].
pub const TOP_P_BITS: u32 = 16;
/// The top-p that keeps every token.
pub const TOP_P_ALL: u32 = 1 << TOP_P_BITS;
/// Fraction bits of a unit, see [`temperature_scale`].
pub const UNIT_BITS: u32 = 40;
/// Bits by which [`temperature_scale`] may shift a distance to the left: two logits of a wide stream differ by less than
/// 2^27, and what is shifted must stay below 2^31.
const LARGEST_LEFT: i32 = 4;

/// What one draw needs besides the logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// From a distance between logits to an index into the table of weights; a zero word takes the largest logit.
    pub scale: Scale,
    /// Only logits that are at least the so many-th largest are drawn from; 0 for all.
    pub top_k: u32,
    /// The share of all weight that must be kept, with [`TOP_P_BITS`] fraction bits; [`TOP_P_ALL`] and above for all.
    pub top_p: u32,
    /// Chance: see [`random_word`].
    pub random: u32,
}

impl Params {
    /// Those that take the largest logit.
    pub const GREEDY: Self = Self { scale: Scale(0), top_k: 0, top_p: TOP_P_ALL, random: 0 };

    /// Those that a plan's parameter row holds.
    pub const fn from_words(words: [u32; 4]) -> Self {
        Self { scale: Scale(words[0]), top_k: words[1], top_p: words[2], random: words[3] }
    }

    /// As a plan's parameter row holds them.
    pub const fn words(self) -> [u32; 4] {
        [self.scale.0, self.top_k, self.top_p, self.random]
    }
}

/// The random word of a sequence's token number `step`, counted from 0 at the first that is generated: the first four
/// bytes, little-endian, of SHA-256(domain, seed as 8 bytes little-endian, step as 4 bytes little-endian).
pub fn random_word(seed: u64, step: u32) -> u32 {
    let [a, b, c, d, ..] = sha256(&[domain::SAMPLING, &seed.to_le_bytes(), &step.to_le_bytes()]);
    u32::from_le_bytes([a, b, c, d])
}

/// A top-p in thousandths with [`TOP_P_BITS`] fraction bits, rounded to the nearest; 1,000 and above keep all.
pub const fn top_p(milli: u32) -> u32 {
    if milli >= 1_000 { TOP_P_ALL } else { (milli * TOP_P_ALL + 500) / 1_000 }
}

/// The scale from a distance between logits to an index into the table of weights, at a temperature in thousandths.
///
/// `unit` / 2^[`UNIT_BITS`] is that factor at temperature 1: the real amount of one logit step times the table's
/// entries per unit. At another temperature the factor is unit * 1000 / milli / 2^40. It becomes a multiplier of 15
/// bits, rounded to the nearest with ties up, a shift to the left by 4 (less only where the shift to the right would
/// exceed 31) and a shift to the right. Factors above what a shift of 4 can hold (almost 8 entries per step) count as
/// that, and those below 2^-33 as 2^-33, which for any two logits gives entry 0. Temperature 0 gives the zero word.
pub const fn temperature_scale(unit: u64, temperature_milli: u32) -> Scale {
    if temperature_milli == 0 {
        return Scale(0);
    }
    // The factor with 40 + 32 fraction bits; below 2^106.
    let factor = ((unit as u128 * 1_000) << 32) / temperature_milli as u128;
    if factor < 1 << 39 {
        return Scale::new(1 << 14, 31, 0);
    }
    // factor = multiplier * 2^cut, with 2^14 <= multiplier < 2^15.
    let mut cut = 113 - factor.leading_zeros() as i32;
    let mut multiplier = (factor + (1 << (cut - 1))) >> cut;
    if multiplier == 1 << 15 {
        multiplier = 1 << 14;
        cut += 1;
    }
    // multiplier * 2^cut / 2^72 = multiplier * 2^left / 2^(16 + right).
    let down = 72 - 16 - cut;
    let left = if down + LARGEST_LEFT > 31 { 31 - down } else { LARGEST_LEFT };
    let right = down + left;
    if right < 0 {
        return Scale::new(i16::MAX, 0, LARGEST_LEFT as u32);
    }
    Scale::new(multiplier as i16, right as u32, left as u32)
}

/// The token that is drawn: an index into `logits`, which are not empty and each within a wide stream's range.
///
/// `table` holds at least one weight and falls from at most 16,383 to 0. With m the largest logit, the weight of token
/// i is `w = table[exp_index(m - logits[i], scale, entries)]`.
/// 1. A zero scale takes the lowest index of the largest logit.
/// 2. Top-k: those stay whose logit is at least the k-th largest.
/// 3. Top-p: of what stays, W is the sum of w and need = max(1, floor(W * p / 2^16)). The largest t is taken for which
///    the w of logits >= t sum to at least `need`, and those with logits >= t stay.
/// 4. With W the sum of w of what stays, r = floor(random * W / 2^32). The token is the first, in the vocabulary's
///    order, at which the sum of w of what stays, itself included, exceeds r.
///
/// Where no token has any weight (only in a hostile artifact), it is the lowest index of the largest logit.
pub fn sample(logits: &[i32], table: &[i32], params: Params) -> u32 {
    let largest = logits.iter().copied().max().unwrap_or(0);
    let first_largest = logits.iter().position(|l| *l == largest).unwrap_or(0) as u32;
    if params.scale.0 == 0 || table.is_empty() {
        return first_largest;
    }
    let weight = |logit: i32| {
        let index = exp_index(largest.wrapping_sub(logit), params.scale, table.len() as u32);
        table[index as usize] as u32
    };
    let sum_from = |least: i32| {
        let kept = logits.iter().filter(|l| **l >= least);
        kept.fold(0u32, |sum, l| sum.wrapping_add(weight(*l)))
    };
    let mut least = i32::MIN;
    if params.top_k != 0 && (params.top_k as usize) < logits.len() {
        let count_from = |least: i32| logits.iter().filter(|l| **l >= least).count();
        least = largest_that(least, |t| count_from(t) >= params.top_k as usize);
    }
    if params.top_p < TOP_P_ALL {
        let need = share(sum_from(least), params.top_p).max(1);
        least = largest_that(least, |t| sum_from(t) >= need);
    }
    let drawn = ((u64::from(params.random) * u64::from(sum_from(least))) >> 32) as u32;
    let mut sum = 0u32;
    for (i, logit) in logits.iter().enumerate() {
        if *logit >= least {
            sum = sum.wrapping_add(weight(*logit));
            if sum > drawn {
                return i as u32;
            }
        }
    }
    first_largest
}

/// floor(total * p / 2^16) for p <= 2^16, through products that fit 32 bits.
const fn share(total: u32, p: u32) -> u32 {
    let high = (total >> TOP_P_BITS).wrapping_mul(p);
    let low = (total & (TOP_P_ALL - 1)).wrapping_mul(p) >> TOP_P_BITS;
    high.wrapping_add(low)
}

/// The largest t >= `least` for which `holds` is true, where it is false above some t and true from there down; `least`
/// where it is true nowhere.
fn largest_that(least: i32, holds: impl Fn(i32) -> bool) -> i32 {
    let (mut low, mut high) = (i64::from(least), i64::from(i32::MAX));
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if holds(middle as i32) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low as i32
}
