//! Attention of each row to its own sequence, whose keys and values lie in pages.
//!
//! A decoder's next tokens read keys and values page by page, all heads of a page one after the other, because that is how
//! they lie in memory: once, like its weights. Rows of a prompt, one after the other, are taken together: see [`many`].

mod many;

use std::ops::Range;

use provena_arith::fixed::{Reciprocal, Scale, WideSum, context_wide, reciprocal};

use super::{
    bytes::Pack,
    context::{Context, Scratch},
    isa::{Dots, Inputs, Isa, Mix, pair},
    lanes::LANES,
    level::Kernel,
    shared::Shared,
    softmax::weigh,
    tensors::offset,
};
use crate::plan::{Cache, Element, ROW_FIELDS, i8_stride};
use many::Many;

/// Products of weights and values that a sum of 32 bits surely holds: 1,024 * 16,383 * 128 < 2^31.
const EXACT: usize = 1_024;
/// Queries of one sequence from which on a lane for each pays.
const TOGETHER_FROM: usize = 12;

/// An attention that is ready to run.
#[derive(Clone, Copy)]
pub(super) struct CachedAttention<'a> {
    /// `Split [rows][heads * depth]`.
    pub queries: &'a [i8],
    /// `[rows][ROW_FIELDS]`.
    pub rows: &'a [u32],
    /// `[sequences][longest]`.
    pub pages: &'a [u32],
    /// Pages of the longest sequence.
    pub columns: usize,
    /// How keys and values lie.
    pub cache: Cache,
    /// `I8 [slots][kv_heads * depth]`.
    pub keys: &'a [i8],
    /// `I8 [slots][kv_heads * depth]`.
    pub values: &'a [i8],
    /// Number of heads that ask.
    pub heads: usize,
    /// How many tokens a row sees; 0 for all.
    pub window: usize,
    /// `[heads]`.
    pub score_scale: &'a [Scale],
    /// `[entries]`.
    pub exp_table: &'a [i32],
    /// `[heads * depth]`.
    pub context_scale: &'a [Scale],
    /// What the bytes are.
    pub element: Element,
}

impl CachedAttention<'_> {
    /// Writes all of `out`.
    pub(super) fn run(&self, context: &mut Context, words: &mut Vec<i32>, out: &mut [i8]) {
        let (level, rows) = (context.level(), self.rows.len() / ROW_FIELDS);
        let (width, kv_heads) = (self.heads * self.cache.depth, self.cache.kv_heads);
        let group = self.heads / kv_heads * self.cache.depth;
        words.resize(rows * width, 0);
        let target = Shared::new(words);
        let (together, alone) = self.split();
        let lanes = together.iter().map(|rows| rows.len() * self.heads / kv_heads).max().unwrap_or(0);
        context.ranges(together.len() * kv_heads, lanes * self.longest(), |scratch, pieces| {
            for piece in pieces {
                let (rows, head) = (together[piece / kv_heads].clone(), piece % kv_heads);
                level.run(Many { attention: self, rows, head, out: target, scratch });
            }
        });
        // With few rows their heads are spread over the threads, neighbours together.
        let parts = (2 * context.threads()).div_ceil(alone.len().max(1)).min(kv_heads).max(1);
        let spread = kv_heads.div_ceil(parts);
        let parts = kv_heads.div_ceil(spread);
        let tokens: usize = alone.iter().map(|row| self.tokens(*row).len()).sum();
        let each = tokens / alone.len().max(1) * spread * group / 6;
        context.ranges(alone.len() * parts, each, |scratch, pieces| {
            for piece in pieces {
                let (row, first) = (alone[piece / parts], piece % parts * spread);
                let heads = first..kv_heads.min(first + spread);
                let at = row * width;
                // SAFETY: every piece has another row or other heads.
                let out = unsafe { target.part(at + heads.start * group..at + heads.end * group) };
                level.run(Heads { attention: self, row, heads, out, scratch });
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

    /// Rows that are taken together, because they are of one sequence and many enough, and those that are not.
    fn split(&self) -> (Vec<Range<usize>>, Vec<usize>) {
        let rows = self.rows.len() / ROW_FIELDS;
        let (shared, sequence) = (self.heads / self.cache.kv_heads, |row: usize| self.rows[row * ROW_FIELDS + 3]);
        let (mut together, mut alone) = (vec![], vec![]);
        let mut from = 0;
        while from < rows {
            let end = rows.min(from + (LANES / shared).max(1));
            let end = (from..end).find(|row| sequence(*row) != sequence(from)).unwrap_or(end);
            if (end - from) * shared >= TOGETHER_FROM && shared <= LANES {
                together.push(from..end);
            } else {
                alone.extend(from..end);
            }
            from = end;
        }
        (together, alone)
    }

    /// The most tokens that a row sees.
    fn longest(&self) -> usize {
        (0..self.rows.len() / ROW_FIELDS).map(|row| self.tokens(row).len()).max().unwrap_or(0)
    }

    /// The tokens of its sequence that a row sees.
    #[inline(always)]
    fn tokens(&self, row: usize) -> Range<usize> {
        let end = self.rows[row * ROW_FIELDS + 1] as usize + 1;
        if self.window == 0 { 0..end } else { end.saturating_sub(self.window)..end }
    }
}

/// Some heads of keys and values, and one row's queries that read them.
struct Heads<'a> {
    attention: &'a CachedAttention<'a>,
    row: usize,
    /// Heads of keys and values.
    heads: Range<usize>,
    /// The queries' contexts, scaled.
    out: &'a mut [i32],
    scratch: &'a mut Scratch,
}

impl Kernel for Heads<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { attention, row, heads, out, scratch } = self;
        let Scratch { sums: scores, words, bytes, totals, lows, highs, pairs, .. } = scratch;
        let Cache { depth, kv_heads, page, .. } = attention.cache;
        let (stride, shared) = (i8_stride(kv_heads * depth), attention.heads / kv_heads);
        let tokens = attention.tokens(row);
        let sequence = attention.rows[row * ROW_FIELDS + 3] as usize;
        let pages = &attention.pages[sequence * attention.columns..][..attention.columns];
        let count = tokens.len();
        // The tokens of a page that are seen, and where the first of them lies.
        let pages = |token: usize| {
            let here = (page - token % page).min(tokens.end - token);
            (here, (pages[token / page] as usize * page + token % page) * stride)
        };
        let asking = heads.start * shared..heads.end * shared;

        // The planes of each query, one below the other.
        let plane = i8_stride(attention.heads * depth);
        let query = &attention.queries[row * 2 * plane..(row + 1) * 2 * plane];
        bytes.clear();
        for at in asking.clone().map(|head| head * depth) {
            bytes.extend_from_slice(&query[at..at + depth]);
            bytes.extend_from_slice(&query[plane + at..plane + at + depth]);
        }
        words.clear();
        words.extend(bytes.chunks_exact(depth).map(|row| offset::<I>(row)));

        // Scores of each plane.
        scores.resize(2 * asking.len() * count, 0);
        let scores = &mut scores[..2 * asking.len() * count];
        let mut token = tokens.start;
        while token < tokens.end {
            let (here, at) = pages(token);
            for (i, head) in heads.clone().enumerate() {
                I::dots(Dots {
                    x: &bytes[2 * i * shared * depth..],
                    x_stride: depth,
                    rows: 2 * shared,
                    offsets: &words[2 * i * shared..],
                    weight: &attention.keys[at + head * depth..],
                    weight_stride: stride,
                    outputs: here,
                    inputs: depth,
                    out: &mut scores[2 * i * shared * count + token - tokens.start..],
                    out_stride: count,
                });
            }
            token += here;
        }

        // Weights of each query, in the place of its high plane's scores.
        totals.clear();
        for (head, scores) in asking.clone().zip(scores.chunks_exact_mut(2 * count)) {
            let (weights, low) = scores.split_at_mut(count);
            for (score, low) in weights.iter_mut().zip(low) {
                *score = score.wrapping_shl(8).wrapping_add(*low);
            }
            totals.push(weigh(weights, attention.score_scale[head], attention.exp_table));
        }

        // Their sums, page by page; parts that are sure to be exact are added up in more bits.
        out.fill(0);
        for words in [&mut *lows, &mut *highs] {
            words.clear();
            words.resize(out.len(), 0);
        }
        let mut token = tokens.start;
        let mut inexact = 0;
        while token < tokens.end {
            let (mut here, at) = pages(token);
            here = here.min(EXACT);
            if inexact + here > EXACT {
                flush(out, lows, highs);
                inexact = 0;
            }
            let words = here.div_ceil(2);
            pairs.resize(shared * words, 0);
            for (i, head) in heads.clone().enumerate() {
                for (query, pairs) in pairs.chunks_exact_mut(words).enumerate() {
                    let weights = &scores[2 * (i * shared + query) * count + token - tokens.start..][..here];
                    let (two, last) = weights.as_chunks::<2>();
                    pairs.iter_mut().zip(two).for_each(|(to, [a, b])| *to = pair(*a, *b));
                    last.iter().for_each(|last| pairs[words - 1] = pair(*last, 0));
                }
                I::mix(Mix {
                    weights: pairs,
                    pair_stride: 1,
                    row_stride: words,
                    rows: shared,
                    values: Inputs::Bytes { values: &attention.values[at + head * depth..], stride },
                    inputs: here,
                    columns: depth,
                    sums: &mut out[i * shared * depth..(i + 1) * shared * depth],
                });
            }
            inexact += here;
            token += here;
        }
        flush(out, lows, highs);
        let scales = &attention.context_scale[asking.start * depth..asking.end * depth];
        let parts = out.chunks_exact_mut(depth).zip(lows.chunks_exact(depth).zip(highs.chunks_exact(depth)));
        for ((total, scales), (out, (lows, highs))) in totals.iter().zip(scales.chunks_exact(depth)).zip(parts) {
            divide(reciprocal(*total), lows, highs, scales, out);
        }
    }
}

/// Adds sums to wider ones and begins them anew.
#[inline(always)]
fn flush(sums: &mut [i32], lows: &mut [i32], highs: &mut [i32]) {
    for ((sum, low), high) in sums.iter_mut().zip(lows).zip(highs) {
        let wide = WideSum { low: *low as u32, high: *high }.add(*sum);
        (*low, *high, *sum) = (wide.low as i32, wide.high, 0);
    }
}

/// The contexts of one query, scaled.
#[inline(always)]
fn divide(total: Reciprocal, lows: &[i32], highs: &[i32], scales: &[Scale], out: &mut [i32]) {
    for (((out, low), high), scale) in out.iter_mut().zip(lows).zip(highs).zip(scales) {
        *out = scale.apply(context_wide(WideSum { low: *low as u32, high: *high }, total));
    }
}
