//! Patches of images, side by side.

use super::{Lowering, Operand, same, word};
use crate::gpu::{Key, caps};
use crate::plan::BufferId;

/// Invocations in a workgroup of the kernels over images.
const LANES: usize = 32;

/// How patches lie in an image.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub size: [usize; 2],
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
}

impl Lowering<'_> {
    pub(super) fn patches(&mut self, x: BufferId, layout: Layout, out: BufferId) -> Result<(), String> {
        let Layout { size, kernel, stride, pad } = layout;
        let channels = self.buffer(x)?.cols;
        if kernel == 0 || stride == 0 || size.iter().any(|side| side + 2 * pad < kernel) {
            return Err(format!("patches of {kernel} pixels, {stride} apart, in {size:?} and {pad} around"));
        }
        let [down, across] = size.map(|side| (side + 2 * pad - kernel) / stride + 1);
        let images = self.images(x, size)?;
        same("patches", self.buffer(out)?.rows, images * down * across)?;
        same("columns", self.buffer(out)?.cols, kernel * kernel * channels)?;
        let [height, width] = size;
        // Sixteen or four bytes at a time, where so many lie within one pixel.
        let (key, unit) = match channels {
            _ if channels % 16 == 0 => (Key::plain("patches").with("WHOLE").with("UNIT16"), 16),
            _ if channels % 4 == 0 => (Key::plain("patches").with("WHOLE"), 4),
            _ => (Key::plain("patches"), 4),
        };
        let (from, to) = (self.buffer(x)?.stride() / unit, self.buffer(out)?.stride() / unit);
        let units = self.buffer(out)?.len() / unit;
        let (side, grid) = flat(units);
        let mut params = Vec::new();
        for size in [height, width, channels, kernel, stride, pad, down, across, from, to, units, side] {
            params.push(word(size)?);
        }
        self.dispatch(key, &params, &[(1, Operand::Buffer(x)), (2, Operand::Buffer(out))], grid)
    }

    /// Images of this size in `x`, which has a row per pixel.
    pub(super) fn images(&self, x: BufferId, size: [usize; 2]) -> Result<usize, String> {
        let (rows, pixels) = (self.buffer(x)?.rows, size[0] * size[1]);
        if pixels == 0 || rows % pixels != 0 {
            return Err(format!("{rows} pixels are no images of {size:?}"));
        }
        Ok(rows / pixels)
    }
}

/// Invocations along a grid's first side, and the grid, that cover so many words.
pub(super) fn flat(words: usize) -> (usize, [usize; 3]) {
    let side = words.clamp(1, LANES * caps::MAX_WORKGROUPS as usize);
    (side, [side.div_ceil(LANES), words.div_ceil(side), 1])
}
