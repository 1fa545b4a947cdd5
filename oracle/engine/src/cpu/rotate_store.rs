//! Queries and keys turned by their positions; keys and values put into the cache.

use std::ops::Range;

use provena_arith::fixed::{clamp_i8, rotate, round_shift};

use super::{
    bytes::Pack,
    context::Context,
    isa::Isa,
    level::{Kernel, Level},
    shared::Shared,
};
use crate::{
    artifact::TensorRef,
    plan::{Cache, Element, ROW_FIELDS, i8_stride},
};

/// A rotation that is ready to run.
#[derive(Clone, Copy)]
pub(super) struct RotateStore<'a> {
    /// `[rows][cols]`: queries, keys, values.
    pub qkv: &'a [i32],
    /// Columns of a row.
    pub cols: usize,
    /// `[rows][ROW_FIELDS]`.
    pub rows: &'a [u32],
    /// `[positions][depth]`.
    pub table: TensorRef<'a>,
    /// How keys and values lie.
    pub cache: Cache,
}

impl RotateStore<'_> {
    /// Writes all of `queries`, and the slots of `keys` and `values` that the rows name.
    pub(super) fn run(&self, context: &mut Context, queries: &mut [i8], keys: &mut [i8], values: &mut [i8]) {
        let (level, stored) = (context.level(), self.cache.kv_heads * self.cache.depth);
        let width = self.cols - 2 * stored;
        let (rows, stride) = (self.rows.len() / ROW_FIELDS, 2 * i8_stride(width));
        let queries = Shared::new(queries);
        context.ranges(rows, width, |scratch, rows| {
            for row in rows {
                // SAFETY: ranges of rows do not overlap.
                let out = unsafe { queries.part(row * stride..(row + 1) * stride) };
                let turned = self.turned(level, row, 0..width, &mut scratch.words);
                level.run(Pack { element: Element::Split, values: turned, out });
            }
        });
        // Rows that nobody reads share a slot, so this is not spread over threads: the last one stays, as in the
        // reference.
        let words = &mut context.own().words;
        for row in 0..rows {
            let at = self.rows[row * ROW_FIELDS + 2] as usize * i8_stride(stored);
            let key = self.turned(level, row, width..width + stored, words);
            level.run(Store { values: key, out: &mut keys[at..at + stored] });
            let value = &self.qkv[row * self.cols + width + stored..][..stored];
            level.run(Store { values: value, out: &mut values[at..at + stored] });
        }
    }

    /// Some heads of a row, turned by its position.
    fn turned<'b>(&self, level: Level, row: usize, cols: Range<usize>, words: &'b mut Vec<i32>) -> &'b [i32] {
        let depth = self.cache.depth;
        words.resize(cols.len() + depth, 0);
        let (heads, angles) = words.split_at_mut(cols.len());
        heads.copy_from_slice(&self.qkv[row * self.cols..][cols]);
        let position = self.rows[row * ROW_FIELDS + 1] as usize;
        angles.iter_mut().zip(self.table.i16_row(position)).for_each(|(to, v)| *to = v);
        level.run(Turn { heads, angles });
        heads
    }
}

/// Turns heads in place: column c with column c + depth / 2.
struct Turn<'a> {
    heads: &'a mut [i32],
    angles: &'a [i32],
}

impl Kernel for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (cosines, sines) = self.angles.split_at(self.angles.len() / 2);
        for head in self.heads.chunks_exact_mut(self.angles.len()) {
            let (first, second) = head.split_at_mut(cosines.len());
            for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
                (*a, *b) = rotate(*a, *b, *cos, *sin);
            }
        }
    }
}

/// A row becomes keys or values.
struct Store<'a> {
    values: &'a [i32],
    out: &'a mut [i8],
}

impl Kernel for Store<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (to, v) in self.out.iter_mut().zip(self.values) {
            *to = clamp_i8(round_shift(*v, 8)) as i8;
        }
    }
}
