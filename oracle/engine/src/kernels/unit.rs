//! Rows brought to length one.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::BufferId;

impl Lowering<'_> {
    pub(super) fn unit(&mut self, x: BufferId, out: BufferId) -> Result<(), String> {
        let (rows, width) = (self.buffer(x)?.rows, self.buffer(x)?.cols);
        same("length", self.buffer(out)?.len(), rows * width)?;
        self.dispatch(
            Key::plain("unit").constant("LANES", self.tuning.reduce_lanes),
            &[word(width)?],
            &[(1, Operand::Buffer(x)), (2, Operand::Buffer(out))],
            [rows, 1, 1],
        )
    }
}
