//! The largest values in squares of pixels.

use super::{Lowering, Operand, patches::flat, same, word};
use crate::gpu::Key;
use crate::plan::BufferId;

impl Lowering<'_> {
    pub(super) fn max_pool(
        &mut self,
        x: BufferId,
        size: [usize; 2],
        kernel: usize,
        out: BufferId,
    ) -> Result<(), String> {
        let channels = self.buffer(x)?.cols;
        if kernel == 0 {
            return Err("squares of no pixels".into());
        }
        let [height, width] = size;
        let images = self.images(x, size)?;
        same("squares", self.buffer(out)?.rows, images * (height / kernel) * (width / kernel))?;
        same("channels", self.buffer(out)?.cols, channels)?;
        let (stride, words) = (self.buffer(out)?.stride() / 4, self.buffer(out)?.len() / 4);
        let (side, grid) = flat(words);
        let mut params = Vec::new();
        for size in [height, width, channels, kernel, stride, words, side] {
            params.push(word(size)?);
        }
        self.dispatch(Key::plain("max_pool"), &params, &[(1, Operand::Buffer(x)), (2, Operand::Buffer(out))], grid)
    }
}
