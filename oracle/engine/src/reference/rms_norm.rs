//! Root-mean-square normalisation of a wide stream.

use provena_arith::fixed::{NORM_BITS, Scale, SquareSum, clamp_wide, normalise, round_shift, row_shift};

/// x + residual, within a wide stream.
pub(super) fn add(x: &[i32], residual: &[i32]) -> Vec<i32> {
    x.iter().zip(residual).map(|(x, r)| clamp_wide(x.wrapping_add(*r))).collect()
}

/// Each row of `gain.len()` values normalised and scaled per channel, not yet clamped. `epsilon` has a low and a high word.
pub(super) fn rms_norm(v: &[i32], gain: &[Scale], epsilon: &[i32]) -> Vec<i32> {
    let epsilon = [epsilon[0] as u32, epsilon[1] as u32];
    v.chunks_exact(gain.len()).flat_map(|row| norm_row(row, gain, epsilon)).collect()
}

fn norm_row(row: &[i32], gain: &[Scale], [low, high]: [u32; 2]) -> impl Iterator<Item = i32> {
    let shift = row_shift(row.iter().fold(0, |largest, v| largest.max(v.unsigned_abs())));
    let squares = row.iter().fold(SquareSum::default(), |sum, v| sum.add(round_shift(*v, shift)));
    let inverse = squares.add_epsilon(low, high, shift).inverse_root();
    row.iter().zip(gain).map(move |(v, gain)| gain.apply(normalise(round_shift(*v, shift), inverse, NORM_BITS)))
}
