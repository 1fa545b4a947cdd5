//! Attention of every token to every token.

use provena_arith::fixed::{Reciprocal, Scale, clamp_i8, context, exp_index, reciprocal};
use rayon::prelude::*;

use super::dot::dots;
use crate::plan::i8_stride;

/// An attention that is ready to run.
pub(super) struct Attention<'a> {
    /// `[tokens][3 * width]`, padded to `stride`.
    pub qkv: &'a [i8],
    /// Bytes from one token to the next in `qkv`.
    pub stride: usize,
    /// Columns of the queries, of the keys and of the values.
    pub width: usize,
    /// Number of heads.
    pub heads: usize,
    /// `[heads]`.
    pub score_scale: Vec<Scale>,
    /// `[entries]`.
    pub exp_table: Vec<i32>,
    /// `[width]`.
    pub context_scale: Vec<Scale>,
}

impl Attention<'_> {
    /// `[tokens][width]` signed bytes, padded.
    pub(super) fn run(&self, tokens: usize) -> Vec<i8> {
        let mut out = vec![0i8; tokens * i8_stride(self.width)];
        let depth = self.width / self.heads;
        for head in 0..self.heads {
            let keys = self.gather(tokens, self.width + head * depth, depth);
            let values = self.gather(tokens, 2 * self.width + head * depth, depth);
            out.par_chunks_exact_mut(i8_stride(self.width)).enumerate().for_each(|(token, row)| {
                let at = token * self.stride + head * depth;
                let to = &mut row[head * depth..(head + 1) * depth];
                self.attend(head, &self.qkv[at..at + depth], &keys, &values, to);
            });
        }
        out
    }

    /// The columns `from .. from + depth` of every token, side by side.
    fn gather(&self, tokens: usize, from: usize, depth: usize) -> Vec<i8> {
        let rows = self.qkv.chunks_exact(self.stride).take(tokens);
        rows.flat_map(|row| row[from..from + depth].iter().copied()).collect()
    }

    /// One head of one token.
    fn attend(&self, head: usize, query: &[i8], keys: &[i8], values: &[i8], out: &mut [i8]) {
        let depth = query.len();
        let (weights, total) = self.weigh(head, query, keys);
        let mut sums = vec![0i32; depth];
        for (weight, value) in weights.iter().zip(values.chunks_exact(depth)) {
            for (sum, v) in sums.iter_mut().zip(value) {
                *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(*v)));
            }
        }
        let scales = &self.context_scale[head * depth..(head + 1) * depth];
        for ((out, sum), scale) in out.iter_mut().zip(sums).zip(scales) {
            *out = clamp_i8(scale.apply(context(sum, total))) as i8;
        }
    }

    /// The softmax weights of one query and the reciprocal of their total.
    fn weigh(&self, head: usize, query: &[i8], keys: &[i8]) -> (Vec<i32>, Reciprocal) {
        let mut scores = vec![0i32; keys.len() / query.len()];
        dots(query, keys, query.len(), &mut scores);
        let largest = scores.iter().copied().max().unwrap_or(0);
        let mut total = 0u32;
        for score in &mut scores {
            let below = largest.wrapping_sub(*score);
            *score = self.exp_table[exp_index(below, self.score_scale[head], self.exp_table.len() as u32) as usize];
            total = total.wrapping_add(*score as u32);
        }
        (scores, reciprocal(total))
    }
}
