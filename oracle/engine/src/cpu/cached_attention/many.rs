//! Several rows of one sequence at once, such as a part of a prompt: a lane for each of their queries.

use std::ops::Range;

use provena_arith::fixed::reciprocal;

use super::{CachedAttention, EXACT, Heads, divide, flush};
use crate::{
    cpu::{
        context::Scratch,
        isa::Isa,
        lanes::{CHUNK, Lanes, Rows},
        level::Kernel,
        shared::Shared,
    },
    plan::{Cache, ROW_FIELDS, i8_stride},
};

/// One head of keys and values, and all queries of some rows that read it: at most one per lane.
pub(super) struct Many<'a> {
    pub attention: &'a CachedAttention<'a>,
    /// Rows of one sequence.
    pub rows: Range<usize>,
    /// The head of keys and values.
    pub head: usize,
    /// The contexts of all rows, scaled.
    pub out: Shared<'a, i32>,
    pub scratch: &'a mut Scratch,
}

impl<'a> Kernel for Many<'a> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { attention, rows, head, out, scratch } = self;
        let Cache { depth, kv_heads, page, .. } = attention.cache;
        let (stride, shared) = (i8_stride(kv_heads * depth), attention.heads / kv_heads);
        let (width, group) = (attention.heads * depth, shared * depth);
        // Each row's part of the result.
        let part = |row: usize| {
            let at = row * width + head * group;
            // SAFETY: every piece has other rows or another head, and parts of rows are used one after the other.
            unsafe { out.part(at..at + group) }
        };

        // A lane for each query, those of a row side by side.
        let tokens = rows.clone().map(|row| attention.tokens(row));
        let tokens = tokens.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or_default();
        let mut lanes = Lanes::new();
        scratch.block.begin(depth, tokens.len());
        let plane = i8_stride(width);
        let mut fits = true;
        for (i, row) in rows.clone().enumerate() {
            let sees = attention.tokens(row);
            let queries = &attention.queries[row * 2 * plane + head * group..];
            for query in 0..shared {
                let lane = i * shared + query;
                let (high, low) = (&queries[query * depth..][..depth], &queries[plane + query * depth..][..depth]);
                let values = high.iter().zip(low).map(|(high, low)| 256 * i32::from(*high) + i32::from(*low));
                fits &= scratch.block.set(lane, values);
                lanes.scales[lane] = attention.score_scale[head * shared + query];
                (lanes.from[lane], lanes.to[lane]) = (sees.start as i32, sees.end as i32);
            }
        }
        if !fits {
            // Bytes of -128 are no rotation's: a query of such is no number of 16 bits.
            for row in rows {
                Heads { attention, row, heads: head..head + 1, out: part(row), scratch }.run::<I>();
            }
            return;
        }

        let Scratch { block, words: sums, lows, highs, .. } = scratch;
        let sequence = attention.rows[rows.start * ROW_FIELDS + 3] as usize;
        let pages = &attention.pages[sequence * attention.columns..][..attention.columns];
        // Keys, or values, of the tokens from the given one on: those of its page, or as many as are taken at a time.
        let part_of = |values: &'a [i8], token: usize| {
            let count = (page - token % page).min(tokens.end - token).min(CHUNK);
            let at = (pages[token / page] as usize * page + token % page) * stride + head * depth;
            Rows { values: &values[at..], stride, count, depth }
        };
        let mut token = tokens.start;
        while token < tokens.end {
            let keys = part_of(attention.keys, token);
            block.score::<I>(keys, token, token - tokens.start, &mut lanes);
            token += keys.count;
        }
        for words in [&mut *sums, &mut *lows, &mut *highs] {
            words.clear();
            words.resize(rows.len() * group, 0);
        }
        let (mut token, mut inexact) = (tokens.start, 0);
        while token < tokens.end {
            let values = part_of(attention.values, token);
            if inexact + values.count > EXACT {
                flush(sums, lows, highs);
                inexact = 0;
            }
            block.mix::<I>(values, token, token - tokens.start, attention.exp_table, &mut lanes, sums);
            inexact += values.count;
            token += values.count;
        }
        flush(sums, lows, highs);
        let wide = lows.chunks_exact(depth).zip(highs.chunks_exact(depth));
        let mut totals = lanes.totals.iter().zip(wide);
        for row in rows {
            let scales = attention.context_scale[head * group..].chunks_exact(depth);
            let queries = part(row).chunks_exact_mut(depth).zip(scales).zip(totals.by_ref());
            for ((out, scales), (total, (lows, highs))) in queries {
                divide(reciprocal(*total), lows, highs, scales, out);
            }
        }
    }
}
