//! The sum over all rows.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::BufferId;

impl Lowering<'_> {
    pub(super) fn sum_rows(&mut self, x: BufferId, out: BufferId) -> Result<(), String> {
        let (rows, width) = (self.buffer(x)?.rows, self.buffer(x)?.cols);
        same("length of the sum", self.buffer(out)?.len(), width)?;
        self.dispatch(
            Key::plain("sum_rows"),
            &[word(rows)?, word(width)?],
            &[(1, Operand::Buffer(x)), (2, Operand::Buffer(out))],
            [width.div_ceil(32), 1, 1],
        )
    }
}
