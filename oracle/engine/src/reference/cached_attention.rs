//! Attention of each row to its own sequence, whose keys and values lie in pages.

use provena_arith::fixed::{Scale, WideSum, context_wide, exp_index, reciprocal};

use super::bytes::join_row;
use crate::plan::{Cache, ROW_FIELDS, i8_stride};

/// An attention that is ready to run.
pub(super) struct CachedAttention<'a> {
    /// `Split [rows][heads * depth]`.
    pub queries: &'a [i8],
    /// `[rows][ROW_FIELDS]`.
    pub rows: &'a [u32],
    /// `[sequences][longest]`.
    pub pages: &'a [u32],
    /// Pages of the longest sequence.
    pub longest: usize,
    /// Where keys and values are.
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
    pub score_scale: Vec<Scale>,
    /// `[entries]`.
    pub exp_table: Vec<i32>,
    /// `[heads * depth]`.
    pub context_scale: Vec<Scale>,
}

impl CachedAttention<'_> {
    /// `[rows][heads * depth]`, not yet clamped.
    pub(super) fn run(&self) -> Vec<i32> {
        let width = self.heads * self.cache.depth;
        let mut out = Vec::new();
        for (row, query) in self.rows.chunks_exact(ROW_FIELDS).zip(self.queries.chunks_exact(2 * i8_stride(width))) {
            let query: Vec<i32> = join_row(query).take(width).collect();
            let slots = self.slots(row[1] as usize, row[3] as usize);
            for (head, query) in query.chunks_exact(self.cache.depth).enumerate() {
                out.extend(self.attend(head, query, &slots));
            }
        }
        out
    }

    /// The slots of the tokens that a row at this position of this sequence sees.
    fn slots(&self, position: usize, sequence: usize) -> Vec<usize> {
        let first = if self.window == 0 { 0 } else { (position + 1).saturating_sub(self.window) };
        let pages = &self.pages[sequence * self.longest..];
        let page = self.cache.page;
        (first..=position).map(|token| pages[token / page] as usize * page + token % page).collect()
    }

    /// One head of one row.
    fn attend(&self, head: usize, query: &[i32], slots: &[usize]) -> Vec<i32> {
        let depth = self.cache.depth;
        let at = head / (self.heads / self.cache.kv_heads) * depth;
        let stride = i8_stride(self.cache.kv_heads * depth);
        let part = |cache: &'_ [i8], slot: usize| -> Vec<i32> {
            cache[slot * stride + at..][..depth].iter().map(|v| i32::from(*v)).collect()
        };
        let dot = |key: Vec<i32>| query.iter().zip(key).fold(0i32, |sum, (q, k)| sum.wrapping_add(q.wrapping_mul(k)));
        let scores: Vec<i32> = slots.iter().map(|slot| dot(part(self.keys, *slot))).collect();
        let largest = scores.iter().copied().max().unwrap_or(0);
        let mut total = 0u32;
        let mut sums = vec![WideSum::default(); depth];
        for (score, slot) in scores.iter().zip(slots) {
            let below = largest.wrapping_sub(*score);
            let weight = self.exp_table[exp_index(below, self.score_scale[head], self.exp_table.len() as u32) as usize];
            total = total.wrapping_add(weight as u32);
            for (sum, v) in sums.iter_mut().zip(part(self.values, *slot)) {
                *sum = sum.add(weight.wrapping_mul(v));
            }
        }
        let inverse = reciprocal(total);
        let scales = &self.context_scale[head * depth..];
        sums.iter().zip(scales).map(|(sum, scale)| scale.apply(context_wide(*sum, inverse))).collect()
    }
}
