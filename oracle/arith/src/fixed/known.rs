//! Known answers of the scalar operations: `docs/INT_V1.md` lists the same, and a self test checks them on each machine.

use super::*;

/// One call with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The call, as `docs/INT_V1.md` writes it.
    pub call: &'static str,
    /// What this machine computes.
    pub found: i64,
    /// What it must compute.
    pub expected: i64,
}

macro_rules! known {
    ($($call:expr => $expected:expr),* $(,)?) => {
        [$(Known { call: stringify!($call), found: i64::from($call), expected: $expected }),*]
    };
}

/// A function by its values at -2^15, -2^14, 0, 2^14 and 2^15.
const TABLE: [i32; 5] = [-100, 0, 1_000, 3_000, -3_000];

/// A wide sum from partial sums.
fn partial(values: &[i32]) -> WideSum {
    values.iter().fold(WideSum::default(), |sum, v| sum.add(*v))
}

/// A sum of squares from its elements.
fn squares(values: &[i32]) -> SquareSum {
    values.iter().fold(SquareSum::default(), |sum, v| sum.add(*v))
}

/// All known answers. The arguments pass through [`core::hint::black_box`], so that the processor computes them.
pub fn answers() -> impl Iterator<Item = Known> {
    let (a, b) = core::hint::black_box((1_000_003, -1_000_003));
    let scale = |multiplier, right, left| Scale::new(core::hint::black_box(multiplier), right, left);
    known![
        mul16(a, 20_000) => 305_176,
        mul16(b, 20_000) => -305_177,
        mul16(i32::MIN, -32_768) => 1_073_741_824,
        mul16(i32::MAX, 32_767) => 1_073_709_055,
        round_shift(a, 4) => 62_500,
        round_shift(24, 4) => 2,
        round_shift(-24, 4) => -1,
        round_shift(-25, 4) => -2,
        round_shift(a, 0) => 1_000_003,
        scale(16_384, 2, 0).apply(a) => 62_500,
        scale(-16_384, 2, 0).apply(a) => -62_500,
        scale(24_576, 1, 6).apply(100) => 1_200,
        scale(24_576, 20, 0).apply(b) => 0,
        clamp_i8(-128) => -127,
        clamp_i16(40_000) => 32_767,
        isqrt(4_294_967_295) => 65_535,
        isqrt(4_294_836_224) => 65_534,
        mean(-7, 2) => -3,
        mean(7, 3) => 2,
        mean(-8_387_840, 256) => -32_765,
        squares(&[3, -4]).inverse_root().factor => 26_214,
        squares(&[3, -4]).inverse_root().exponent => -13,
        squares(&[65_535, -65_535, 65_535]).inverse_root().factor => 18_919,
        squares(&[65_535, -65_535, 65_535]).inverse_root().exponent => 1,
        squares(&[0, 0]).inverse_root().factor => 0,
        normalise(-4, squares(&[3, -4]).inverse_root(), NORM_BITS) => -838_848,
        normalise(3, squares(&[3, -4]).inverse_root(), 15) => 19_660,
        exp_index(1_000, scale(16_384, 3, 0), 1_024) => 31,
        exp_index(1_000_000, scale(16_384, 3, 0), 1_024) => 1_023,
        table_index(-3_000, 4_096) => 0,
        table_index(5, 4_096) => 2_053,
        table_index(3_000, 4_096) => 4_095,
        reciprocal(16_383).factor => 32_767,
        reciprocal(100_000).factor => 21_474,
        reciprocal(100_000).exponent => 2,
        context(-5_000_000, reciprocal(100_000)) => -12_800,
        split(32_639).0 => 127,
        split(32_639).1 => 127,
        split(128).0 => 1,
        split(128).1 => -128,
        split(-129).0 => -1,
        split(-129).1 => 127,
        join(200, -1_000) => 196,
        clamp_split(-40_000) => -32_639,
        clamp_wide(a << 10) => 67_108_863,
        rotate(30_000, -20_000, 23_170, 23_170).0 => 35_355,
        rotate(30_000, -20_000, 23_170, 23_170).1 => 7_071,
        rotate(-32_767, 32_767, 0, 32_767).0 => -32_766,
        interpolate(&TABLE, -40_000) => -100,
        interpolate(&TABLE, 5) => 1_001,
        interpolate(&TABLE, 20_000) => 1_676,
        interpolate(&TABLE, 32_767) => -3_000,
        row_shift(32_767) => 0,
        row_shift(70_000) => 2,
        squares(&[3, -4]).add_epsilon(4_000, 1, 3).inverse_root().factor => 32_767,
        squares(&[3, -4]).add_epsilon(4_000, 1, 3).inverse_root().exponent => -2,
        context_wide(partial(&[-2_000_000_000, -2_000_000_000, -1_000_000_000]), reciprocal(100_000_000)) => -12_800,
        context_wide(partial(&[-1]), reciprocal(16_383)) => 0,
    ]
    .into_iter()
    .chain(crate::sampling::known::answers())
}
