//! The pixels of an image one after the other.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::BufferId;

impl Lowering<'_> {
    pub(super) fn flatten(&mut self, x: BufferId, out: BufferId) -> Result<(), String> {
        let (images, channels) = (self.buffer(out)?.rows, self.buffer(x)?.cols);
        let pixels = self.buffer(x)?.rows / images.max(1);
        same("pixels", self.buffer(x)?.rows, images * pixels)?;
        same("values of an image", self.buffer(out)?.cols, pixels * channels)?;
        let (x_stride, stride) = (self.buffer(x)?.stride() / 4, self.buffer(out)?.stride() / 4);
        self.dispatch(
            Key::plain("flatten"),
            &[word(pixels)?, word(channels)?, word(x_stride)?, word(stride)?],
            &[(1, Operand::Buffer(x)), (2, Operand::Buffer(out))],
            [stride.div_ceil(32), images, 1],
        )
    }
}
