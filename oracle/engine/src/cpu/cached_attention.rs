//! Attention of each row to its own sequence, whose keys and values lie in pages.

use std::ops::Range;

use provena_arith::fixed::{Reciprocal, Scale, WideSum, context_wide, reciprocal};

use super::{
    bytes::pack_row,
    context::{Context, Scratch},
    isa::{Dots, Isa},
    level::Kernel,
    shared::Shared,
    softmax::weigh,
    tensors::offset,
};
use crate::plan::{Cache, Element, ROW_FIELDS, i8_stride};

/// Products of weights and values that a sum of 32 bits surely holds: 1,024 * 16,383 * 128 < 2^31.
const EXACT: usize = 1_024;

/// An attention that is ready to run.
#[derive(Clone, Copy)]
pub struct CachedAttention<'a> {
    /// `Split` [rows][heads * depth].
    pub queries: &'a [i8],
    /// [rows][[`ROW_FIELDS`]].
    pub rows: &'a [u32],
    /// [sequences][longest].
    pub pages: &'a [u32],
    /// Pages of the longest sequence.
    pub longest: usize,
    /// How keys and values lie.
    pub cache: Cache,
    /// `I8` [slots][kv_heads * depth].
    pub keys: &'a [i8],
    /// `I8` [slots][kv_heads * depth].
    pub values: &'a [i8],
    /// Number of heads that ask.
    pub heads: usize,
    /// How many tokens a row sees; 0 for all.
    pub window: usize,
    /// [heads].
    pub score_scale: &'a [Scale],
    /// [entries].
    pub exp_table: &'a [i32],
    /// [heads * depth].
    pub context_scale: &'a [Scale],
    /// What the bytes are.
    pub element: Element,
}

impl CachedAttention<'_> {
    /// Writes all of `out`.
    pub fn run(&self, context: &mut Context, words: &mut Vec<i32>, out: &mut [i8]) {
        let (level, rows) = (context.level(), self.rows.len() / ROW_FIELDS);
        let (width, kv_heads) = (self.heads * self.cache.depth, self.cache.kv_heads);
        let group = self.heads / kv_heads * self.cache.depth;
        words.resize(rows * width, 0);
        let target = Shared::new(words);
        let tokens: usize = (0..rows).map(|row| self.tokens(row).len()).sum();
        let each = tokens / rows.max(1) * group / 8;
        context.ranges(rows * kv_heads, each, |scratch, pieces| {
            for piece in pieces {
                let (row, head) = (piece / kv_heads, piece % kv_heads);
                let at = row * width + head * group;
                // SAFETY: every piece has another row or another head.
                let out = unsafe { target.part(at..at + group) };
                level.run(Group { attention: self, row, head, out, scratch });
            }
        });
        let stride = out.len() / rows.max(1);
        let out = Shared::new(out);
        context.ranges(rows, width / 4, |_, rows| {
            for row in rows {
                // SAFETY: ranges of rows do not overlap.
                let out = unsafe { out.part(row * stride..(row + 1) * stride) };
                level.run(Pack { element: self.element, values: &words[row * width..(row + 1) * width], out });
            }
        });
    }

    /// The tokens of its sequence that a row sees.
    #[inline(always)]
    fn tokens(&self, row: usize) -> Range<usize> {
        let end = self.rows[row * ROW_FIELDS + 1] as usize + 1;
        if self.window == 0 { 0..end } else { end.saturating_sub(self.window)..end }
    }
}

/// A row becomes bytes.
struct Pack<'a> {
    element: Element,
    values: &'a [i32],
    out: &'a mut [i8],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        pack_row(self.element, self.values, self.out);
    }
}

/// The heads of one row that share keys and values.
struct Group<'a> {
    attention: &'a CachedAttention<'a>,
    row: usize,
    head: usize,
    out: &'a mut [i32],
    scratch: &'a mut Scratch,
}

impl Kernel for Group<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { attention, row, head, out, scratch } = self;
        let Cache { depth, kv_heads, page, .. } = attention.cache;
        let (stride, shared) = (i8_stride(kv_heads * depth), attention.heads / kv_heads);
        let tokens = attention.tokens(row);
        let sequence = attention.rows[row * ROW_FIELDS + 3] as usize;
        let pages = &attention.pages[sequence * attention.longest..][..attention.longest];

        // The planes of each query, one below the other.
        let plane = i8_stride(attention.heads * depth);
        let query = &attention.queries[row * 2 * plane..(row + 1) * 2 * plane];
        scratch.bytes.clear();
        for high in (head * shared..(head + 1) * shared).map(|head| head * depth) {
            scratch.bytes.extend_from_slice(&query[high..high + depth]);
            scratch.bytes.extend_from_slice(&query[plane + high..plane + high + depth]);
        }
        scratch.words.clear();
        scratch.words.extend(scratch.bytes.chunks_exact(depth).map(|row| offset::<I>(row)));

        // Scores of each plane, page by page, and where the tokens' values lie.
        let count = tokens.len();
        scratch.sums.resize(2 * shared * count, 0);
        let scores = &mut scratch.sums[..2 * shared * count];
        scratch.places.clear();
        let mut token = tokens.start;
        while token < tokens.end {
            let here = (page - token % page).min(tokens.end - token);
            let slot = pages[token / page] as usize * page + token % page;
            let at = slot * stride + head * depth;
            I::dots(Dots {
                x: &scratch.bytes,
                x_stride: depth,
                rows: 2 * shared,
                offsets: &scratch.words,
                weight: &attention.keys[at..],
                weight_stride: stride,
                outputs: here,
                inputs: depth,
                out: &mut scores[token - tokens.start..],
                out_stride: count,
            });
            scratch.places.extend((0..here).map(|i| at + i * stride));
            token += here;
        }

        for (query, (scores, out)) in scores.chunks_exact_mut(2 * count).zip(out.chunks_exact_mut(depth)).enumerate() {
            let (weights, low) = scores.split_at_mut(count);
            for (score, low) in weights.iter_mut().zip(low) {
                *score = score.wrapping_shl(8).wrapping_add(*low);
            }
            let asking = head * shared + query;
            let total = reciprocal(weigh(weights, attention.score_scale[asking], attention.exp_table));
            let scales = &attention.context_scale[asking * depth..][..depth];
            let mix = Mix { weights, places: &scratch.places, values: attention.values, total, scales };
            let mut from = 0;
            from += mix.columns::<64>(from, out);
            from += mix.columns::<16>(from, out);
            from += mix.columns::<8>(from, out);
            mix.columns::<1>(from, out);
        }
    }
}

/// The values of one head, weighed.
struct Mix<'a> {
    /// [tokens].
    weights: &'a [i32],
    /// [tokens]: where each token's values begin.
    places: &'a [usize],
    values: &'a [i8],
    total: Reciprocal,
    /// [depth].
    scales: &'a [Scale],
}

impl Mix<'_> {
    /// As many columns from `from` on as are a multiple of `N`; says how many.
    #[inline(always)]
    fn columns<const N: usize>(&self, from: usize, out: &mut [i32]) -> usize {
        let count = (out.len() - from) / N * N;
        for (i, out) in out[from..from + count].chunks_exact_mut(N).enumerate() {
            let from = from + i * N;
            let (mut lows, mut highs) = ([0u32; N], [0i32; N]);
            for (weights, places) in self.weights.chunks(EXACT).zip(self.places.chunks(EXACT)) {
                let mut sums = [0i32; N];
                for (weight, place) in weights.iter().zip(places) {
                    let values = &self.values[place + from..][..N];
                    for c in 0..N {
                        sums[c] = sums[c].wrapping_add(weight.wrapping_mul(i32::from(values[c])));
                    }
                }
                for c in 0..N {
                    let sum = WideSum { low: lows[c], high: highs[c] }.add(sums[c]);
                    (lows[c], highs[c]) = (sum.low, sum.high);
                }
            }
            let sums = lows.into_iter().zip(highs).map(|(low, high)| WideSum { low, high });
            for ((out, sum), scale) in out.iter_mut().zip(sums).zip(&self.scales[from..]) {
                *out = scale.apply(context_wide(sum, self.total));
            }
        }
        count
    }
}
