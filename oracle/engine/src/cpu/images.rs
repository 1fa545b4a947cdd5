//! Operations on images: rows of x are pixels.

use super::{context::Context, shared::Shared};
use crate::plan::i8_stride;

/// Squares of pixels in images.
#[derive(Clone, Copy)]
pub(super) struct Squares {
    /// Height and width of an image.
    pub size: [usize; 2],
    /// Values per pixel.
    pub channels: usize,
    /// Height and width of a square.
    pub kernel: usize,
    /// Pixels from one square to the next.
    pub stride: usize,
    /// Pixels of zeros around the image.
    pub pad: usize,
}

impl Squares {
    /// Squares below each other, and side by side.
    fn counts(&self) -> [usize; 2] {
        self.size.map(|side| (side + 2 * self.pad - self.kernel) / self.stride + 1)
    }

    /// Bytes of an image.
    fn image(&self) -> usize {
        self.size[0] * self.size[1] * i8_stride(self.channels)
    }

    /// Where in an image the pixel `place` of the square at (y, x) begins, unless it is outside.
    fn pixel(&self, y: usize, x: usize, place: usize) -> Option<usize> {
        let py = (y * self.stride + place / self.kernel).checked_sub(self.pad)?;
        let px = (x * self.stride + place % self.kernel).checked_sub(self.pad)?;
        (py < self.size[0] && px < self.size[1]).then(|| (py * self.size[1] + px) * i8_stride(self.channels))
    }

    /// The pixels of each square, side by side.
    pub(super) fn patches(&self, context: &mut Context, x: &[i8], out: &mut [i8]) {
        let (channels, [down, across]) = (self.channels, self.counts());
        let cols = self.kernel * self.kernel * channels;
        let stride = i8_stride(cols);
        let rows = out.len() / stride;
        let out = Shared::new(out);
        context.ranges(rows, cols, |_, rows| {
            for row in rows {
                // SAFETY: ranges of rows do not overlap.
                let to = unsafe { out.part(row * stride..(row + 1) * stride) };
                let image = &x[row / (down * across) * self.image()..][..self.image()];
                let (at_y, at_x) = (row / across % down, row % across);
                for (place, to) in to[..cols].chunks_exact_mut(channels).enumerate() {
                    match self.pixel(at_y, at_x, place) {
                        Some(at) => to.copy_from_slice(&image[at..at + channels]),
                        None => to.fill(0),
                    }
                }
                to[cols..].fill(0);
            }
        });
    }

    /// The largest value of each channel in each square; no square may reach beyond its image.
    pub(super) fn largest(&self, context: &mut Context, x: &[i8], out: &mut [i8]) {
        let (channels, [down, across]) = (self.channels, self.counts());
        let stride = i8_stride(channels);
        let rows = out.len() / stride;
        let out = Shared::new(out);
        context.ranges(rows, self.kernel * self.kernel * channels, |_, rows| {
            for row in rows {
                // SAFETY: ranges of rows do not overlap.
                let to = unsafe { out.part(row * stride..(row + 1) * stride) };
                let image = &x[row / (down * across) * self.image()..][..self.image()];
                let (at_y, at_x) = (row / across % down, row % across);
                to[..channels].fill(i8::MIN);
                to[channels..].fill(0);
                for at in (0..self.kernel * self.kernel).filter_map(|place| self.pixel(at_y, at_x, place)) {
                    for (to, v) in to.iter_mut().zip(&image[at..at + channels]) {
                        *to = (*to).max(*v);
                    }
                }
            }
        });
    }
}

/// The pixels of each image one after the other.
pub(super) fn flatten(x: &[i8], pixels: usize, channels: usize, out: &mut [i8]) {
    let (pixel, cols) = (i8_stride(channels), pixels * channels);
    for (to, image) in out.chunks_exact_mut(i8_stride(cols)).zip(x.chunks_exact(pixels * pixel)) {
        for (to, from) in to.chunks_exact_mut(channels).zip(image.chunks_exact(pixel)) {
            to.copy_from_slice(&from[..channels]);
        }
        to[cols..].fill(0);
    }
}
