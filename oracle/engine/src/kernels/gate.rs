//! Gated activations.

use super::{Lowering, Operand, same, word};
use crate::plan::{BufferId, TensorId};

impl Lowering<'_> {
    pub(super) fn gate(
        &mut self,
        x: BufferId,
        table: TensorId,
        out_scale: TensorId,
        out: BufferId,
    ) -> Result<(), String> {
        let (rows, inner) = (self.buffer(out)?.rows, self.buffer(out)?.cols);
        same("rows", self.buffer(x)?.rows, rows)?;
        same("gates and what they gate", self.buffer(x)?.cols, 2 * inner)?;
        same("scales", self.tensor(out_scale)?.cols, inner)?;
        let intervals = self.tensor(table)?.cols.saturating_sub(1);
        if !intervals.is_power_of_two() || !(2..=15).contains(&intervals.ilog2()) {
            return Err(format!("a table of {} entries", self.tensor(table)?.cols));
        }
        let key = self.bytes_key("gate", out)?;
        let stride = self.buffer(out)?.stride() / 4;
        let words = inner.next_multiple_of(crate::plan::ROW_ALIGN) / 4;
        self.dispatch(
            key,
            &[word(inner)?, word(stride)?, 16 - intervals.ilog2()],
            &[
                (1, Operand::Buffer(x)),
                (2, Operand::Tensor(table)),
                (3, Operand::Tensor(out_scale)),
                (4, Operand::Buffer(out)),
            ],
            [words.div_ceil(32), rows, 1],
        )
    }
}
