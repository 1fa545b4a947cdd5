//! The largest values in squares of pixels.

use crate::plan::i8_stride;

/// The largest value of each channel in each square of `kernel` by `kernel` pixels; `x` has one row per pixel.
pub(super) fn max_pool(x: &[i8], [height, width]: [usize; 2], channels: usize, kernel: usize) -> Vec<i8> {
    let pixel = i8_stride(channels);
    let mut out = Vec::new();
    for image in x.chunks_exact(height * width * pixel) {
        for (y, x) in (0..height / kernel).flat_map(|y| (0..width / kernel).map(move |x| (y, x))) {
            let mut row = vec![0i8; pixel];
            for (c, to) in row[..channels].iter_mut().enumerate() {
                let places =
                    (0..kernel).flat_map(|dy| (0..kernel).map(move |dx| (y * kernel + dy) * width + x * kernel + dx));
                *to = places.map(|place| image[place * pixel + c]).max().unwrap_or(0);
            }
            out.extend(row);
        }
    }
    out
}
