//! Patches of images, side by side.

use crate::plan::i8_stride;

/// How patches lie in an image.
#[derive(Clone, Copy)]
pub(super) struct Patches {
    /// Height and width of an image.
    pub size: [usize; 2],
    /// Values per pixel.
    pub channels: usize,
    /// Height and width of a patch.
    pub kernel: usize,
    /// Pixels from one patch to the next.
    pub stride: usize,
    /// Pixels of zeros around the image.
    pub pad: usize,
}

impl Patches {
    /// One row per patch, rows padded; `x` has one row per pixel.
    pub(super) fn run(&self, x: &[i8]) -> Vec<i8> {
        let [height, width] = self.size;
        let [down, across] = self.size.map(|side| (side + 2 * self.pad - self.kernel) / self.stride + 1);
        let pixel = i8_stride(self.channels);
        let cols = self.kernel * self.kernel * self.channels;
        let mut out = Vec::new();
        for image in x.chunks_exact(height * width * pixel) {
            for (y, x) in (0..down).flat_map(|y| (0..across).map(move |x| (y, x))) {
                let mut row = vec![0i8; i8_stride(cols)];
                for (place, to) in row[..cols].chunks_exact_mut(self.channels).enumerate() {
                    let (py, px) = (y * self.stride + place / self.kernel, x * self.stride + place % self.kernel);
                    let (Some(py), Some(px)) = (py.checked_sub(self.pad), px.checked_sub(self.pad)) else { continue };
                    if py < height && px < width {
                        to.copy_from_slice(&image[(py * width + px) * pixel..][..self.channels]);
                    }
                }
                out.extend(row);
            }
        }
        out
    }
}
