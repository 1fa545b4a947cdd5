//! Attention of many queries at once: a lane per query.
//!
//! Scores lie as `[token][lane]`, so that maxima, weights and totals need no sums across a vector, and the weights of two
//! tokens are a [`pair`] as soon as they are known.

use provena_arith::fixed::{Scale, exp_index};

use super::isa::{Inputs, Isa, Mix, pair};

/// Queries of a block.
pub(super) const LANES: usize = 32;
/// Tokens whose weights are computed at a time; an even number.
pub(super) const CHUNK: usize = 64;

/// Keys or values of one head.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// The first row, and the others `stride` bytes apart.
    pub values: &'a [i8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Number of rows, at most [`CHUNK`].
    pub count: usize,
    /// Values of a row, an even number.
    pub depth: usize,
}

/// Memory for a block.
#[derive(Default)]
pub(super) struct Block {
    /// `[depth / 2][LANES]`: [`pair`]s of each query's values.
    pub queries: Vec<u32>,
    /// `[tokens][LANES]`.
    pub scores: Vec<i32>,
    values: Vec<i32>,
    keys: Vec<u32>,
    weights: Vec<i32>,
    pairs: Vec<u32>,
}

/// What each query of a block has for itself.
pub(super) struct Lanes {
    /// Scales of the scores.
    pub scales: [Scale; LANES],
    /// The first token that each sees. Lanes without a query see all.
    pub from: [i32; LANES],
    /// The token after the last that each sees.
    pub to: [i32; LANES],
    /// The largest score of those tokens.
    pub largest: [i32; LANES],
    /// The total of their weights.
    pub totals: [u32; LANES],
}

impl Lanes {
    /// Lanes without queries.
    pub(super) fn new() -> Self {
        Self {
            scales: [Scale(0); LANES],
            from: [0; LANES],
            to: [i32::MAX; LANES],
            largest: [i32::MIN; LANES],
            totals: [0; LANES],
        }
    }

    /// Whether every lane sees all of so many tokens from `first` on.
    #[inline(always)]
    fn see_all(&self, first: usize, count: usize) -> bool {
        self.from.iter().all(|from| *from <= first as i32) && self.to.iter().all(|to| *to >= (first + count) as i32)
    }

    /// Takes the scores of the tokens from `first` on into account; the scores of tokens that a lane does not see become
    /// the least there is.
    #[inline(always)]
    fn see(&mut self, first: usize, scores: &mut [i32]) {
        let (scores, _) = scores.as_chunks_mut::<LANES>();
        if !self.see_all(first, scores.len()) {
            for (token, scores) in (first as i32..).zip(&mut *scores) {
                for (score, (from, to)) in scores.iter_mut().zip(self.from.iter().zip(&self.to)) {
                    let seen = (token >= *from) & (token < *to);
                    *score = if seen { *score } else { i32::MIN };
                }
            }
        }
        for scores in scores {
            for (largest, score) in self.largest.iter_mut().zip(&*scores) {
                *largest = (*largest).max(*score);
            }
        }
    }

    /// The weights of the tokens from `first` on, as `[tokens][LANES]` and as pairs.
    #[inline(always)]
    fn weigh(&mut self, first: usize, scores: &[i32], table: &[i32], weights: &mut Vec<i32>, pairs: &mut Vec<u32>) {
        let (scores, _) = scores.as_chunks::<LANES>();
        weights.resize(scores.len() * LANES, 0);
        let len = table.len() as u32;
        for (weights, scores) in weights.as_chunks_mut::<LANES>().0.iter_mut().zip(scores) {
            let lanes = self.largest.iter().zip(&self.scales);
            for ((weight, score), (largest, scale)) in weights.iter_mut().zip(scores).zip(lanes) {
                *weight = exp_index(largest.wrapping_sub(*score), *scale, len) as i32;
            }
        }
        for weight in &mut *weights {
            *weight = table[*weight as usize];
        }
        if !self.see_all(first, scores.len()) {
            for (token, weights) in (first as i32..).zip(weights.as_chunks_mut::<LANES>().0) {
                for (weight, (from, to)) in weights.iter_mut().zip(self.from.iter().zip(&self.to)) {
                    let seen = (token >= *from) & (token < *to);
                    *weight = if seen { *weight } else { 0 };
                }
            }
        }
        pairs.resize(scores.len().div_ceil(2) * LANES, 0);
        for (pairs, two) in pairs.as_chunks_mut::<LANES>().0.iter_mut().zip(weights.chunks(2 * LANES)) {
            let (first, second) = two.split_at(LANES);
            let second = if second.is_empty() { &[0; LANES] } else { second };
            let lanes = first.iter().zip(second).zip(&mut self.totals);
            for (to, ((a, b), total)) in pairs.iter_mut().zip(lanes) {
                *to = pair(*a, *b);
                *total = total.wrapping_add(*a as u32).wrapping_add(*b as u32);
            }
        }
    }
}

impl Block {
    /// Makes room for queries of this depth and for the scores of so many tokens; all queries are zeros.
    #[inline(always)]
    pub(super) fn begin(&mut self, depth: usize, tokens: usize) {
        self.queries.clear();
        self.queries.resize(depth / 2 * LANES, 0);
        self.scores.resize(tokens * LANES, 0);
    }

    /// Sets a query from its values. False when one of them is beyond the `i16` range; the query is of no use then.
    #[inline(always)]
    pub(super) fn set(&mut self, lane: usize, values: impl Iterator<Item = i32>) -> bool {
        self.values.clear();
        self.values.extend(values);
        let (two, _) = self.values.as_chunks::<2>();
        for (to, [a, b]) in self.queries.chunks_exact_mut(LANES).zip(two) {
            to[lane] = pair(*a, *b);
        }
        self.values.iter().fold(true, |fits, v| fits & (*v == i32::from(*v as i16)))
    }

    /// The scores of the tokens from `first` on, `at` of them after the first that has scores.
    #[inline(always)]
    pub(super) fn score<I: Isa>(&mut self, keys: Rows<'_>, first: usize, at: usize, lanes: &mut Lanes) {
        let Rows { values, stride, count, depth } = keys;
        self.keys.resize(count * (depth / 2), 0);
        for (row, words) in self.keys.chunks_exact_mut(depth / 2).enumerate() {
            // Two of these are a pair.
            let words: &mut [i16] = bytemuck::cast_slice_mut(words);
            words.iter_mut().zip(&values[row * stride..][..depth]).for_each(|(to, v)| *to = i16::from(*v));
        }
        let scores = &mut self.scores[at * LANES..(at + count) * LANES];
        scores.fill(0);
        I::mix(Mix {
            weights: &self.keys,
            pair_stride: 1,
            row_stride: depth / 2,
            rows: count,
            values: Inputs::Pairs(&self.queries),
            inputs: depth,
            columns: LANES,
            sums: scores,
        });
        lanes.see(first, scores);
    }

    /// Adds the weighed values of the tokens from `first` on, `at` of them after the first that has scores, to the sums
    /// `[queries][depth]`. The table's entries are within the `i16` range.
    #[inline(always)]
    pub(super) fn mix<I: Isa>(
        &mut self,
        values: Rows<'_>,
        first: usize,
        at: usize,
        table: &[i32],
        lanes: &mut Lanes,
        sums: &mut [i32],
    ) {
        let Rows { values, stride, count, depth } = values;
        let scores = &self.scores[at * LANES..(at + count) * LANES];
        lanes.weigh(first, scores, table, &mut self.weights, &mut self.pairs);
        I::mix(Mix {
            weights: &self.pairs,
            pair_stride: LANES,
            row_stride: 1,
            rows: sums.len() / depth,
            values: Inputs::Bytes { values, stride },
            inputs: count,
            columns: depth,
            sums,
        });
    }
}
