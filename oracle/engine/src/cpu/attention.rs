//! Attention of every token to every token.

use std::borrow::Cow;

use provena_arith::fixed::{Scale, clamp_i8, context as divided, reciprocal};

use super::{
    context::{Context, Scratch},
    isa::Isa,
    lanes::{CHUNK, LANES, Lanes, Rows},
    level::Kernel,
    shared::Shared,
};
use crate::plan::i8_stride;

/// An attention that is ready to run.
#[derive(Clone, Copy)]
pub(super) struct Attention<'a> {
    /// `[tokens][3 * width]`, padded.
    pub qkv: &'a [i8],
    /// Number of tokens.
    pub tokens: usize,
    /// Columns of the queries, of the keys and of the values.
    pub width: usize,
    /// Number of heads.
    pub heads: usize,
    /// `[heads]`.
    pub score_scale: &'a [Scale],
    /// `[entries]`.
    pub exp_table: &'a [i32],
    /// `[width]`.
    pub context_scale: &'a [Scale],
}

impl Attention<'_> {
    /// Writes all of `out`.
    pub(super) fn run(&self, context: &mut Context, out: &mut [i8]) {
        let level = context.level();
        let stride = i8_stride(self.width);
        if stride != self.width {
            out.chunks_exact_mut(stride).for_each(|row| row[self.width..].fill(0));
        }
        let blocks = self.tokens.div_ceil(LANES);
        let each = LANES.min(self.tokens) * self.tokens * (self.width / self.heads + 48) / 48;
        let tables = self.tables();
        let out = Shared::new(out);
        context.ranges(self.heads * blocks, each, |scratch, pieces| {
            for piece in pieces {
                let (head, from) = (piece / blocks, piece % blocks * LANES);
                level.run(Queries { attention: self, tables: &tables, head, from, out, scratch });
            }
        });
    }

    /// Tables within the `i16` range and what each counts for: a weight is the sum of what they give, modulo 2^32. A good
    /// artifact has such a table; a hostile one's is taken apart.
    fn tables(&self) -> Vec<(Cow<'_, [i32]>, u32)> {
        if self.exp_table.iter().all(|weight| i16::try_from(*weight).is_ok()) {
            return vec![(self.exp_table.into(), 0)];
        }
        let low = |weight: i32| i32::from(weight as i16);
        let high = |weight: i32| i32::from((weight.wrapping_sub(low(weight)) >> 16) as i16);
        let part = |part: &dyn Fn(i32) -> i32| self.exp_table.iter().map(|weight| part(*weight)).collect();
        vec![(part(&low), 0), (part(&high), 16)]
    }
}

/// Up to [`LANES`] queries of a head.
struct Queries<'a> {
    attention: &'a Attention<'a>,
    tables: &'a [(Cow<'a, [i32]>, u32)],
    head: usize,
    from: usize,
    out: Shared<'a, i8>,
    scratch: &'a mut Scratch,
}

impl Kernel for Queries<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { attention, tables, head, from, out, scratch } = self;
        let Scratch { block, words: sums, lows: parts, .. } = scratch;
        let Attention { qkv, tokens, width, heads, .. } = *attention;
        let (stride, depth) = (i8_stride(3 * width), width / heads);
        let count = LANES.min(tokens - from);
        let mut lanes = Lanes::new();
        lanes.scales = [attention.score_scale[head]; LANES];
        block.begin(depth, tokens);
        for (lane, query) in qkv[from * stride + head * depth..].chunks(stride).take(count).enumerate() {
            block.set(lane, query[..depth].iter().map(|v| i32::from(*v)));
        }
        // Keys, or values, of the tokens from the given one on.
        let rows = |part: usize, token: usize| Rows {
            values: &qkv[token * stride + part * width + head * depth..],
            stride,
            count: CHUNK.min(tokens - token),
            depth,
        };
        for token in (0..tokens).step_by(CHUNK) {
            block.score::<I>(rows(1, token), token, token, &mut lanes);
        }
        sums.clear();
        sums.resize(count * depth, 0);
        let mut totals = [0u32; LANES];
        for (table, shift) in tables {
            parts.clear();
            parts.resize(count * depth, 0);
            lanes.totals.fill(0);
            for token in (0..tokens).step_by(CHUNK) {
                block.mix::<I>(rows(2, token), token, token, table, &mut lanes, parts);
            }
            for (total, part) in totals.iter_mut().zip(lanes.totals) {
                *total = total.wrapping_add(part.wrapping_shl(*shift));
            }
            for (sum, part) in sums.iter_mut().zip(&*parts) {
                *sum = sum.wrapping_add(part.wrapping_shl(*shift));
            }
        }
        let scales = &attention.context_scale[head * depth..][..depth];
        for (lane, (sums, total)) in sums.chunks_exact(depth).zip(totals).enumerate() {
            let total = reciprocal(total);
            let at = (from + lane) * i8_stride(width) + head * depth;
            // SAFETY: every piece has other queries or another head.
            let to = unsafe { out.part(at..at + depth) };
            for ((to, sum), scale) in to.iter_mut().zip(sums).zip(scales) {
                *to = clamp_i8(scale.apply(divided(*sum, total))) as i8;
            }
        }
    }
}
