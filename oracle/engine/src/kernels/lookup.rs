//! Tokens become the residual stream.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::{BufferId, ROW_FIELDS, TensorId};

impl Lowering<'_> {
    pub(super) fn lookup(
        &mut self,
        rows: BufferId,
        weight: TensorId,
        scale: TensorId,
        out: BufferId,
    ) -> Result<(), String> {
        let (count, width) = (self.buffer(out)?.rows, self.buffer(out)?.cols);
        same("fields of the rows", self.buffer(rows)?.len(), count * ROW_FIELDS)?;
        same("width of the words", self.tensor(weight)?.cols, width)?;
        same("scales of the words", self.tensor(scale)?.cols, self.tensor(weight)?.rows)?;
        let stride = self.tensor(weight)?.stride() / 4;
        // Each shard of the words writes the rows whose tokens it holds.
        for (place, held) in self.shards(weight)?.into_iter().enumerate() {
            self.dispatch(
                Key::plain("lookup"),
                &[word(width)?, word(stride)?, word(held.start)?, word(held.len())?],
                &[
                    (1, Operand::Buffer(rows)),
                    (2, Operand::Shard(weight, place)),
                    (3, Operand::Tensor(scale)),
                    (4, Operand::Buffer(out)),
                ],
                [width.div_ceil(4 * 32), count, 1],
            )?;
        }
        Ok(())
    }
}
