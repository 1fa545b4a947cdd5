//! Operations that take rows apart from each other and are soon done.

use provena_arith::{
    fixed::{Scale, clamp_i16, clamp_wide},
    sampling::Params,
};

use super::{context::Context, isa::Isa, level::Kernel, norm::UnitRow, sample::sample, shared::Shared};
use crate::{
    artifact::TensorRef,
    plan::{ROW_FIELDS, SAMPLE_FIELDS},
};

/// Words and positions become the residual stream.
pub(super) fn embed(
    context: &mut Context,
    ids: &[u32],
    words: TensorRef<'_>,
    positions: TensorRef<'_>,
    out: &mut [i32],
) {
    let width = words.cols;
    let out = Shared::new(out);
    context.ranges(ids.len(), width, |_, tokens| {
        for token in tokens {
            // SAFETY: ranges of rows do not overlap.
            let row = unsafe { out.part(token * width..(token + 1) * width) };
            let values = words.i16_row(ids[token] as usize).zip(positions.i16_row(token));
            for (to, (word, position)) in row.iter_mut().zip(values) {
                *to = clamp_i16(word.wrapping_add(position));
            }
        }
    });
}

/// Tokens become the residual stream.
pub(super) fn lookup(context: &mut Context, rows: &[u32], weight: TensorRef<'_>, scale: &[Scale], out: &mut [i32]) {
    let (width, level) = (weight.cols, context.level());
    let out = Shared::new(out);
    context.ranges(rows.len() / ROW_FIELDS, width, |_, rows_of_piece| {
        for row in rows_of_piece {
            let token = rows[row * ROW_FIELDS] as usize;
            // SAFETY: ranges of rows do not overlap.
            let out = unsafe { out.part(row * width..(row + 1) * width) };
            level.run(LookupRow { word: &weight.i8_row(token)[..width], scale: scale[token], out });
        }
    });
}

struct LookupRow<'a> {
    word: &'a [i8],
    scale: Scale,
    out: &'a mut [i32],
}

impl Kernel for LookupRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (to, v) in self.out.iter_mut().zip(self.word) {
            *to = clamp_wide(self.scale.apply(i32::from(*v) << 14));
        }
    }
}

/// Some rows of a stream.
pub(super) fn gather(x: &[i32], width: usize, picks: &[u32], out: &mut [i32]) {
    for (to, pick) in out.chunks_exact_mut(width).zip(picks) {
        to.copy_from_slice(&x[*pick as usize * width..][..width]);
    }
}

/// Each row brought to length one.
pub(super) fn unit(context: &mut Context, x: &[i32], width: usize, out: &mut [i32]) {
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        context.level().run(UnitRow { x, out });
    }
}

/// The sum over all rows.
pub(super) struct SumRows<'a> {
    /// `[rows][width]`.
    pub x: &'a [i32],
    /// `[width]`.
    pub out: &'a mut [i32],
}

impl Kernel for SumRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { x, out } = self;
        out.fill(0);
        for row in x.chunks_exact(out.len()) {
            for (sum, v) in out.iter_mut().zip(row) {
                *sum = sum.wrapping_add(*v);
            }
        }
    }
}

/// The lowest index of the largest value.
pub(super) struct Argmax<'a> {
    /// A row.
    pub x: &'a [i32],
}

impl Kernel for Argmax<'_> {
    type Output = u32;

    #[inline(always)]
    fn run<I: Isa>(self) -> u32 {
        let largest = self.x.iter().fold(i32::MIN, |largest, v| largest.max(*v));
        self.x.iter().position(|v| *v == largest).unwrap_or(0) as u32
    }
}

/// One token per row of logits.
pub(super) fn draw(
    context: &mut Context,
    logits: &[i32],
    width: usize,
    params: &[u32],
    table: &[i32],
    out: &mut [u32],
) {
    let level = context.level();
    let rows = out.len();
    let (params, _) = params.as_chunks::<SAMPLE_FIELDS>();
    let out = Shared::new(out);
    context.ranges(rows, width, |_, rows| {
        for row in rows {
            let logits = &logits[row * width..(row + 1) * width];
            let token = level.run(Draw { logits, table, params: Params::from_words(params[row]) });
            // SAFETY: ranges of rows do not overlap.
            let to = unsafe { out.part(row..row + 1) };
            to[0] = token;
        }
    });
}

struct Draw<'a> {
    logits: &'a [i32],
    table: &'a [i32],
    params: Params,
}

impl Kernel for Draw<'_> {
    type Output = u32;

    #[inline(always)]
    fn run<I: Isa>(self) -> u32 {
        if self.params.scale.0 == 0 || self.table.is_empty() {
            return Argmax { x: self.logits }.run::<I>();
        }
        sample(self.logits, self.table, self.params)
    }
}
