//! Rows of signed bytes, alone or in two planes.

use provena_arith::fixed::{clamp_i8, clamp_split, split};

use crate::plan::{Element, i8_stride};

/// Rows of `cols` values as an `I8` or a `Split` buffer, clamped to what it holds, rows padded with zeros.
pub(super) fn pack(element: Element, values: &[i32], cols: usize) -> Vec<i8> {
    let stride = i8_stride(cols);
    let rows = values.chunks_exact(cols);
    if element == Element::I8 {
        let mut out = vec![0i8; rows.len() * stride];
        for (to, from) in out.chunks_exact_mut(stride).zip(rows) {
            to.iter_mut().zip(from).for_each(|(to, v)| *to = clamp_i8(*v) as i8);
        }
        return out;
    }
    let mut out = vec![0i8; rows.len() * 2 * stride];
    for (to, from) in out.chunks_exact_mut(2 * stride).zip(rows) {
        let (high, low) = to.split_at_mut(stride);
        for ((high, low), v) in high.iter_mut().zip(low).zip(from) {
            let (h, l) = split(clamp_split(*v));
            (*high, *low) = (h as i8, l as i8);
        }
    }
    out
}

/// The values of one row of a `Split` buffer, padding included.
pub(super) fn join_row(row: &[i8]) -> impl Iterator<Item = i32> {
    let (high, low) = row.split_at(row.len() / 2);
    high.iter().zip(low).map(|(high, low)| 256 * i32::from(*high) + i32::from(*low))
}
