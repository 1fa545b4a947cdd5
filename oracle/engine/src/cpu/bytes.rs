//! Rows of values become rows of bytes.

use provena_arith::fixed::{clamp_i8, clamp_split, split};

use super::{isa::Isa, level::Kernel};
use crate::plan::Element;

/// A row becomes bytes, see [`pack_row`].
pub(super) struct Pack<'a> {
    /// `I8` or `Split`.
    pub element: Element,
    /// The row's values.
    pub values: &'a [i32],
    /// The row of bytes.
    pub out: &'a mut [i8],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        pack_row(self.element, self.values, self.out);
    }
}

/// Writes one row of an `I8` or a `Split` buffer, padding included, from values that are not yet clamped.
#[inline(always)]
pub(super) fn pack_row(element: Element, values: &[i32], row: &mut [i8]) {
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
