//! Gated activations.

use provena_arith::fixed::{Scale, clamp_i16, round_shift};

use super::{bytes::pack_row, context::Context, isa::Isa, level::Kernel, shared::Shared};
use crate::plan::Element;

/// Columns that are taken at a time.
const COLUMNS: usize = 64;

/// A gated activation.
#[derive(Clone, Copy)]
pub(super) struct Gate<'a> {
    /// `[rows][2 * inner]`.
    pub x: &'a [i32],
    /// `[2^k + 1]`.
    pub table: &'a [i32],
    /// `[inner]`.
    pub scale: &'a [Scale],
    /// What the bytes are.
    pub element: Element,
}

impl Gate<'_> {
    /// Writes all of `out`.
    pub(super) fn run(&self, context: &mut Context, out: &mut [i8]) {
        let (inner, level) = (self.scale.len(), context.level());
        let rows = self.x.len() / (2 * inner);
        let stride = out.len() / rows.max(1);
        let out = Shared::new(out);
        context.ranges(rows, 2 * inner, |scratch, rows| {
            scratch.words.resize(inner, 0);
            for row in rows {
                // SAFETY: ranges of rows do not overlap.
                let out = unsafe { out.part(row * stride..(row + 1) * stride) };
                level.run(GateRow { gate: self, row, words: &mut scratch.words[..inner], out });
            }
        });
    }
}

struct GateRow<'a> {
    gate: &'a Gate<'a>,
    row: usize,
    words: &'a mut [i32],
    out: &'a mut [i8],
}

impl Kernel for GateRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { gate, row, words, out } = self;
        let inner = words.len();
        let (gates, ups) = gate.x[row * 2 * inner..(row + 1) * 2 * inner].split_at(inner);
        let columns = gates.chunks(COLUMNS).zip(ups.chunks(COLUMNS)).zip(gate.scale.chunks(COLUMNS));
        for (words, ((gates, ups), scale)) in words.chunks_mut(COLUMNS).zip(columns) {
            interpolate(gate.table, gates, words);
            for ((v, up), scale) in words.iter_mut().zip(ups).zip(scale) {
                *v = scale.apply(v.wrapping_mul(*up));
            }
        }
        pack_row(gate.element, words, out);
    }
}

/// [`provena_arith::fixed::interpolate`] of up to [`COLUMNS`] values. Only the look-ups go value by value.
#[inline(always)]
fn interpolate(table: &[i32], x: &[i32], out: &mut [i32]) {
    let bits = 16 - (table.len() as u32 - 1).trailing_zeros();
    let mut places = [0u32; COLUMNS];
    for (place, v) in places.iter_mut().zip(x) {
        *place = (clamp_i16(*v) + 32_768) as u32;
    }
    let (mut lefts, mut rights) = ([0i32; COLUMNS], [0i32; COLUMNS]);
    // Of equal lengths, so that one look at a place serves both.
    let (from, to) = (&table[..table.len() - 1], &table[1..]);
    for ((left, right), place) in lefts.iter_mut().zip(&mut rights).zip(&places[..x.len()]) {
        let at = (place >> bits) as usize;
        (*left, *right) = (from[at], to[at]);
    }
    for ((to, place), (left, right)) in out.iter_mut().zip(&places).zip(lefts.iter().zip(&rights)) {
        let part = (place & ((1 << bits) - 1)) as i32;
        let sum = left.wrapping_mul((1 << bits) - part).wrapping_add(right.wrapping_mul(part));
        *to = round_shift(sum, bits);
    }
}
