//! Rows brought to length one.

use provena_arith::fixed::{SquareSum, clamp_i16, normalise, round_shift};

/// Fraction bits of the result.
pub const UNIT_BITS: i32 = 15;

/// Each row of `cols` values divided by its length, with [`UNIT_BITS`] fraction bits.
pub(super) fn unit(x: &[i32], cols: usize) -> Vec<i32> {
    x.chunks_exact(cols).flat_map(unit_row).collect()
}

fn unit_row(row: &[i32]) -> impl Iterator<Item = i32> {
    let largest = row.iter().fold(0, |m, v| m.max(v.unsigned_abs()));
    let bits = 17u32.saturating_sub(largest.leading_zeros());
    let inverse = row.iter().fold(SquareSum::default(), |sum, v| sum.add(round_shift(*v, bits))).inverse_root();
    row.iter().map(move |v| clamp_i16(normalise(round_shift(*v, bits), inverse, UNIT_BITS)))
}
