//! The place of each row's largest value.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::BufferId;

impl Lowering<'_> {
    pub(super) fn argmax(&mut self, x: BufferId, out: BufferId) -> Result<(), String> {
        let (rows, width) = (self.buffer(x)?.rows, self.buffer(x)?.cols);
        same("rows", self.buffer(out)?.len(), rows)?;
        self.dispatch(
            Key::plain("argmax"),
            &[word(rows)?, word(width)?],
            &[(1, Operand::Buffer(x)), (2, Operand::Buffer(out))],
            [rows.div_ceil(8), 1, 1],
        )
    }
}
