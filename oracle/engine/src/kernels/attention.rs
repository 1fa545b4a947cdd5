//! Attention of every token to every token: scores, then weights, then contexts, each its own kernel.
//!
//! Splitting it keeps every kernel free of barriers and of any limit on the number of tokens or the head's width; the
//! scores between them are scratch memory.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::{BufferId, TensorId};

impl Lowering<'_> {
    pub(super) fn attention(
        &mut self,
        qkv: BufferId,
        heads: usize,
        score_scale: TensorId,
        exp_table: TensorId,
        context_scale: TensorId,
        out: BufferId,
    ) -> Result<(), String> {
        let (tokens, width) = (self.buffer(out)?.rows, self.buffer(out)?.cols);
        same("tokens", self.buffer(qkv)?.rows, tokens)?;
        same("width of queries, keys and values", self.buffer(qkv)?.cols, 3 * width)?;
        same("scales of the heads", self.tensor(score_scale)?.cols, heads)?;
        same("scales of the contexts", self.tensor(context_scale)?.cols, width)?;
        if heads == 0 || width % heads != 0 || !(width / heads).is_multiple_of(4) {
            return Err(format!("a width of {width} does not split into {heads} heads of whole words"));
        }
        let stride = word(self.buffer(qkv)?.stride() / 4)?;
        let out_stride = self.buffer(out)?.stride() / 4;
        let head = word(width / heads / 4)?;
        let (words, count) = (word(width / 4)?, word(tokens)?);
        let entries = word(self.tensor(exp_table)?.cols)?;
        let rows = heads * tokens;
        let scores = self.scratch((rows * tokens * 4) as u64);
        let totals = self.scratch((rows * 4) as u64);
        self.dispatch(
            Key::plain("attention_scores"),
            &[count, stride, head, words],
            &[(1, Operand::Buffer(qkv)), (2, scores)],
            [tokens.div_ceil(4 * 8), tokens.div_ceil(4 * 4), heads],
        )?;
        self.dispatch(
            Key::plain("attention_weights"),
            &[count, word(heads)?, entries],
            &[(1, scores), (2, Operand::Tensor(score_scale)), (3, Operand::Tensor(exp_table)), (4, totals)],
            [rows.div_ceil(8), 1, 1],
        )?;
        self.dispatch(
            Key::plain("attention_context"),
            &[count, stride, head, 2 * words, word(width)?, word(out_stride)?],
            &[
                (1, Operand::Buffer(qkv)),
                (2, scores),
                (3, totals),
                (4, Operand::Tensor(context_scale)),
                (5, Operand::Buffer(out)),
            ],
            [out_stride.div_ceil(32), tokens.div_ceil(8), 1],
        )
    }
}
