//! Known answers of sampling: `docs/INT_V1.md` lists the same, and a self test checks them on each machine.

use super::{Params, TOP_P_ALL, random_word, sample, temperature_scale, top_p};
use crate::fixed::{Scale, known::Known};

macro_rules! known {
    ($($call:expr => $expected:expr),* $(,)?) => {
        [$(Known { call: stringify!($call), found: i64::from($call), expected: $expected }),*]
    };
}

/// The table of the known answers: each weight is a quarter of the one before it, and the last is 0.
const TABLE: [i32; 5] = [16_000, 4_000, 1_000, 250, 0];
/// The logits of the known answers. The index into the table is half the distance from 300, rounded half up.
const LOGITS: [i32; 6] = [298, 300, 296, 300, 290, 298];

/// The token drawn from the six logits with a scale of one half.
fn draw(top_k: u32, top_p: u32, random: u32) -> u32 {
    sample(&core::hint::black_box(LOGITS), &TABLE, Params { scale: Scale::new(16_384, 3, 4), top_k, top_p, random })
}

/// All known answers.
pub fn answers() -> impl Iterator<Item = Known> {
    let unit = core::hint::black_box(1 << 30);
    let all = TOP_P_ALL;
    known![
        random_word(0, 0) => 2_610_363_628,
        random_word(1, 0) => 1_213_209_195,
        random_word(1, 1) => 1_289_814_981,
        random_word(u64::MAX, 77) => 2_384_696_870,
        top_p(0) => 0,
        top_p(900) => 58_982,
        top_p(999) => 65_470,
        top_p(1_000) => 65_536,
        temperature_scale(unit, 0).0 => 0,
        temperature_scale(unit, 1_000).0 => 67_911_680,
        temperature_scale(unit, 700).0 => 67_918_702,
        temperature_scale(unit, 100_000).0 => 68_375_020,
        temperature_scale(u64::MAX, 1).0 => 67_141_631,
        temperature_scale(1_100, 1_000).0 => 52_380_864,
        temperature_scale(0, 1_000).0 => 2_048_000,
        sample(&[-5, 7, 7, 3], &[1, 0], Params::GREEDY) => 1,
        draw(0, all, 0) => 0,
        draw(0, all, 1 << 29) => 1,
        draw(0, all, 1 << 31) => 2,
        draw(0, all, u32::MAX) => 5,
        draw(1, all, 0) => 1,
        draw(1, all, u32::MAX) => 3,
        draw(3, all, 0) => 0,
        draw(3, all, u32::MAX) => 5,
        draw(0, top_p(700), 0) => 1,
        draw(0, top_p(900), 0) => 0,
        draw(0, 0, u32::MAX) => 3,
    ]
    .into_iter()
}
