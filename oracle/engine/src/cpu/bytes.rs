//! Rows of values become rows of bytes.

use provena_arith::fixed::{clamp_i8, clamp_split, split};

use crate::plan::Element;

/// Writes one row of an `I8` or a `Split` buffer, padding included, from values that are not yet clamped.
#[inline(always)]
pub fn pack_row(element: Element, values: &[i32], row: &mut [i8]) {
    if element == Element::I8 {
        for (to, v) in row.iter_mut().zip(values) {
            *to = clamp_i8(*v) as i8;
        }
        row[values.len()..].fill(0);
        return;
    }
    let (high, low) = row.split_at_mut(row.len() / 2);
    for ((high, low), v) in high.iter_mut().zip(&mut *low).zip(values) {
        let (h, l) = split(clamp_split(*v));
        (*high, *low) = (h as i8, l as i8);
    }
    high[values.len()..].fill(0);
    low[values.len()..].fill(0);
}
