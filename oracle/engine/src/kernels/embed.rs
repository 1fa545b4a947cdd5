//! Token and position embeddings, added.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::{BufferId, TensorId};

impl Lowering<'_> {
    pub(super) fn embed(
        &mut self,
        ids: BufferId,
        words: TensorId,
        positions: TensorId,
        out: BufferId,
    ) -> Result<(), String> {
        let (tokens, width) = (self.buffer(out)?.rows, self.buffer(out)?.cols);
        same("tokens", self.buffer(ids)?.rows, tokens)?;
        same("width of the words", self.tensor(words)?.cols, width)?;
        same("width of the positions", self.tensor(positions)?.cols, width)?;
        if self.tensor(positions)?.rows < tokens || width % 2 != 0 {
            return Err(format!("{tokens} tokens of width {width}"));
        }
        self.dispatch(
            Key::plain("embed"),
            &[word(tokens)?, word(width)?],
            &[
                (1, Operand::Buffer(ids)),
                (2, Operand::Tensor(words)),
                (3, Operand::Tensor(positions)),
                (4, Operand::Buffer(out)),
            ],
            [(width / 2).div_ceil(64), tokens, 1],
        )
    }
}
