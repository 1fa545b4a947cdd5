//! Attention of each row to its own sequence, whose keys and values lie in pages.
//!
//! There are two ways. One kernel can do all of it, with a workgroup for each row and head whose invocations share the
//! tokens; that suits devices that hide latency behind many invocations. Or scores and contexts are a kernel each,
//! without a barrier, with the scores in scratch memory between them.

use super::{Lowering, MAX_TURNS, Operand, same, word};
use crate::gpu::Key;
use crate::plan::{BufferId, Cache, ROW_FIELDS, TensorId};

/// Words of the widest head that the single kernel has room for, and its invocations at most.
const MAX_WORDS: usize = 128;
/// Tokens whose weights the single kernel holds at a time.
const CHUNK: usize = 1024;
/// The most scratch memory for scores, in bytes; the single kernel needs none.
const MAX_SCORES: u64 = 32 << 20;
/// The most heads that one invocation of the two kernels serves.
const MAX_TILE: usize = 4;
/// From so many vectors of eight columns on, an invocation sums up four of them, and two before.
const MANY: usize = 256;
/// Neighbouring tokens whose scores one invocation computes.
const TILE_TOKENS: usize = 4;

/// The fields of [`crate::plan::Op::CachedAttention`].
pub(super) struct CachedAttention {
    pub queries: BufferId,
    pub rows: BufferId,
    pub pages: BufferId,
    pub cache: Cache,
    pub heads: usize,
    pub window: usize,
    pub score_scale: TensorId,
    pub exp_table: TensorId,
    pub context_scale: TensorId,
    pub out: BufferId,
}

impl Lowering<'_> {
    pub(super) fn cached_attention(&mut self, op: &CachedAttention) -> Result<(), String> {
        let CachedAttention { heads, cache, .. } = *op;
        self.slot_stride(&cache)?;
        let (count, width) = (self.buffer(op.out)?.rows, heads * cache.depth);
        if heads == 0 || heads % cache.kv_heads != 0 {
            return Err(format!("{heads} heads ask {} heads of keys", cache.kv_heads));
        }
        same("rows", self.buffer(op.queries)?.rows, count)?;
        same("width of the queries", self.buffer(op.queries)?.cols, width)?;
        same("width of the contexts", self.buffer(op.out)?.cols, width)?;
        same("fields of the rows", self.buffer(op.rows)?.len(), count * ROW_FIELDS)?;
        same("scales of the heads", self.tensor(op.score_scale)?.cols, heads)?;
        same("scales of the contexts", self.tensor(op.context_scale)?.cols, width)?;
        let tokens = self.buffer(op.pages)?.cols * cache.page;
        let scores = 4 * (count * heads * tokens) as u64;
        // Each of the two kernels goes through all tokens at most twice.
        if self.tuning.split_attention && scores <= MAX_SCORES && 2 * tokens + cache.depth <= MAX_TURNS {
            self.two_kernels(op, tokens, scores)
        } else {
            self.one_kernel(op, tokens)
        }
    }

    fn one_kernel(&mut self, op: &CachedAttention, tokens: usize) -> Result<(), String> {
        let CachedAttention { heads, cache, .. } = *op;
        let words = cache.depth / 4;
        if words > MAX_WORDS {
            return Err(format!("a head of depth {}; at most {} fit", cache.depth, 4 * MAX_WORDS));
        }
        let lanes = self.attention_lanes(tokens, words)?;
        let key = self.bytes_key("cached_attention", op.out)?;
        let key = key.constant("LANES", word(lanes)?).constant("PAGE", word(cache.page)?);
        self.dispatch(
            key,
            &[
                word(heads)?,
                word(heads / cache.kv_heads)?,
                word(words)?,
                word(self.buffer(op.queries)?.stride() / 8)?,
                self.slot_stride(&cache)?,
                word(self.buffer(op.pages)?.cols)?,
                word(op.window)?,
                word(self.tensor(op.exp_table)?.cols)?,
                word(self.buffer(op.out)?.stride() / 4)?,
            ],
            &[
                (1, Operand::Buffer(op.queries)),
                (2, Operand::Buffer(op.rows)),
                (3, Operand::Buffer(op.pages)),
                (4, Operand::Buffer(cache.keys)),
                (5, Operand::Buffer(cache.values)),
                (6, Operand::Tensor(op.score_scale)),
                (7, Operand::Tensor(op.exp_table)),
                (8, Operand::Tensor(op.context_scale)),
                (9, Operand::Buffer(op.out)),
            ],
            [heads, self.buffer(op.out)?.rows, 1],
        )
    }

    fn two_kernels(&mut self, op: &CachedAttention, tokens: usize, bytes: u64) -> Result<(), String> {
        let CachedAttention { heads, cache, .. } = *op;
        let (rows, group, eighths) = (self.buffer(op.out)?.rows, heads / cache.kv_heads, cache.depth / 8);
        let tile = (1..=MAX_TILE).rev().find(|tile| group % tile == 0).unwrap_or(1);
        let scores = self.scratch(bytes);
        let shaped = |key: Key| -> Result<_, String> {
            let key = key.size("HEADS", word(tile)?).constant("TILE_HEADS", word(tile)?);
            Ok(key.constant("PAGE", word(cache.page)?))
        };
        let slot_stride = self.slot_stride(&cache)? / 2;
        let (longest, window, span) = (word(self.buffer(op.pages)?.cols)?, word(op.window)?, word(tokens)?);
        let tokens_tile = word(TILE_TOKENS)?;
        // Wide tiles load less, narrow ones leave work for every core.
        let invocations = rows * heads / tile * eighths;
        let widest = if invocations >= MANY { 4 } else { 2 };
        let vectors = [4, 2].into_iter().find(|&v| v <= widest && eighths.is_multiple_of(v)).unwrap_or(1);
        let [heads_word, group, eighths_word] = [word(heads)?, word(group)?, word(eighths)?];
        self.dispatch(
            shaped(Key::plain("cached_scores"))?.size("TOKENS", tokens_tile).constant("TILE_TOKENS", tokens_tile),
            &[
                heads_word,
                group,
                eighths_word,
                word(self.buffer(op.queries)?.stride() / 8)?,
                slot_stride,
                longest,
                window,
                span,
            ],
            &[
                (1, Operand::Buffer(op.queries)),
                (2, Operand::Buffer(op.rows)),
                (3, Operand::Buffer(op.pages)),
                (4, Operand::Buffer(cache.keys)),
                (5, scores),
            ],
            [tokens.div_ceil(8 * TILE_TOKENS), rows, heads / tile],
        )?;
        let (entries, stride) = (word(self.tensor(op.exp_table)?.cols)?, word(self.buffer(op.out)?.stride() / 4)?);
        self.dispatch(
            shaped(self.bytes_key("cached_contexts", op.out)?)?
                .size("VECTORS", word(vectors)?)
                .constant("TILE_VECTORS", word(vectors)?),
            &[word(rows)?, heads_word, group, eighths_word, slot_stride, longest, window, span, entries, stride],
            &[
                (1, Operand::Buffer(op.rows)),
                (2, Operand::Buffer(op.pages)),
                (3, Operand::Buffer(cache.values)),
                (4, Operand::Tensor(op.score_scale)),
                (5, Operand::Tensor(op.exp_table)),
                (6, Operand::Tensor(op.context_scale)),
                (7, scores),
                (8, Operand::Buffer(op.out)),
            ],
            [(invocations / vectors).div_ceil(8), 1, 1],
        )
    }

    /// Invocations of the single kernel that share a row and a head, for contexts of up to so many tokens and heads of
    /// so many words.
    fn attention_lanes(&self, tokens: usize, words: usize) -> Result<usize, String> {
        let mut lanes = self.tuning.reduce_lanes as usize;
        while turns(tokens, words, lanes) > MAX_TURNS {
            lanes *= 2;
            if lanes > MAX_WORDS {
                return Err(format!("a context of {tokens} tokens and heads of {words} words are too much"));
            }
        }
        Ok(lanes)
    }
}

/// Turns of all loops that an invocation of the single kernel makes.
fn turns(tokens: usize, words: usize, lanes: usize) -> usize {
    let (each, chunks) = (tokens.div_ceil(lanes), tokens.div_ceil(CHUNK));
    let passes = if chunks > 1 { 2 } else { 1 };
    let shares = (lanes / words).max(1);
    let sums = (shares * words).div_ceil(lanes) * (tokens / shares + 4 * chunks);
    each * (passes * (words / 2 + 1) + 1) + sums + 2 * lanes + 8 * words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_contexts_take_more_invocations_but_not_too_many_turns() {
        assert!(turns(1024, 16, 8) < MAX_TURNS);
        assert!(turns(65_536, 16, 8) > MAX_TURNS);
        assert!(turns(65_536, 32, MAX_WORDS) < MAX_TURNS);
    }
}
