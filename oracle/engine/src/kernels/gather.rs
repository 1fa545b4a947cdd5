//! The rows that somebody asks for.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::BufferId;

impl Lowering<'_> {
    pub(super) fn gather(&mut self, x: BufferId, picks: BufferId, out: BufferId) -> Result<(), String> {
        let (picked, width) = (self.buffer(out)?.rows, self.buffer(out)?.cols);
        same("picks", self.buffer(picks)?.len(), picked)?;
        same("width", self.buffer(x)?.cols, width)?;
        self.dispatch(
            Key::plain("gather"),
            &[word(width)?],
            &[(1, Operand::Buffer(x)), (2, Operand::Buffer(picks)), (3, Operand::Buffer(out))],
            [width.div_ceil(64), picked, 1],
        )
    }
}
