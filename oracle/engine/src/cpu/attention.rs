//! Attention of every token to every token.

use provena_arith::fixed::{Scale, clamp_i8, context as divided, reciprocal};

use super::{
    context::{Context, Scratch},
    isa::{Dots, Isa},
    level::Kernel,
    shared::Shared,
    softmax::weigh,
    tensors::offset,
};
use crate::plan::i8_stride;

/// Queries of a head that a thread takes at a time.
const QUERIES: usize = 16;

/// An attention that is ready to run.
#[derive(Clone, Copy)]
pub struct Attention<'a> {
    /// [tokens][3 * width], padded.
    pub qkv: &'a [i8],
    /// Number of tokens.
    pub tokens: usize,
    /// Columns of the queries, of the keys and of the values.
    pub width: usize,
    /// Number of heads.
    pub heads: usize,
    /// [heads].
    pub score_scale: &'a [Scale],
    /// [entries].
    pub exp_table: &'a [i32],
    /// [width].
    pub context_scale: &'a [Scale],
}

impl Attention<'_> {
    /// Writes all of `out`.
    pub fn run(&self, context: &mut Context, out: &mut [i8]) {
        let level = context.level();
        let stride = i8_stride(self.width);
        if stride != self.width {
            out.chunks_exact_mut(stride).for_each(|row| row[self.width..].fill(0));
        }
        let blocks = self.tokens.div_ceil(QUERIES);
        let each = QUERIES.min(self.tokens) * self.tokens * (self.width / self.heads + 16) / 16;
        let out = Shared::new(out);
        context.ranges(self.heads * blocks, each, |scratch, pieces| {
            for piece in pieces {
                level.run(Block {
                    attention: self,
                    head: piece / blocks,
                    from: piece % blocks * QUERIES,
                    out,
                    scratch,
                });
            }
        });
    }
}

/// Some queries of a head.
struct Block<'a> {
    attention: &'a Attention<'a>,
    head: usize,
    from: usize,
    out: Shared<'a, i8>,
    scratch: &'a mut Scratch,
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { attention, head, from, out, scratch } = self;
        let Attention { qkv, tokens, width, heads, .. } = *attention;
        let (stride, depth) = (i8_stride(3 * width), width / heads);
        let count = QUERIES.min(tokens - from);
        let mut offsets = [0i32; QUERIES];
        let queries = &qkv[from * stride + head * depth..];
        for (query, offset_of) in offsets.iter_mut().enumerate().take(count) {
            *offset_of = offset::<I>(&queries[query * stride..][..depth]);
        }
        scratch.sums.resize(count * tokens, 0);
        let scores = &mut scratch.sums[..count * tokens];
        I::dots(Dots {
            x: queries,
            x_stride: stride,
            rows: count,
            offsets: &offsets,
            weight: &qkv[width + head * depth..],
            weight_stride: stride,
            outputs: tokens,
            inputs: depth,
            out: scores,
            out_stride: tokens,
        });
        scratch.words.resize(depth, 0);
        let sums = &mut scratch.words[..depth];
        let values = &qkv[2 * width + head * depth..];
        let scales = &attention.context_scale[head * depth..][..depth];
        for (query, weights) in scores.chunks_exact_mut(tokens).enumerate() {
            let total = reciprocal(weigh(weights, attention.score_scale[head], attention.exp_table));
            sums.fill(0);
            for (token, weight) in weights.iter().enumerate() {
                for (sum, v) in sums.iter_mut().zip(&values[token * stride..][..depth]) {
                    *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(*v)));
                }
            }
            let at = (from + query) * i8_stride(width) + head * depth;
            // SAFETY: every piece has other queries or another head.
            let to = unsafe { out.part(at..at + depth) };
            for ((to, sum), scale) in to.iter_mut().zip(&*sums).zip(scales) {
                *to = clamp_i8(scale.apply(divided(*sum, total))) as i8;
            }
        }
    }
}
