//! The pixels of an image one after the other.

use crate::plan::i8_stride;

/// `pixels` rows of `channels` values become one row, padded.
pub(super) fn flatten(x: &[i8], pixels: usize, channels: usize) -> Vec<i8> {
    let cols = pixels * channels;
    let mut out = Vec::new();
    for image in x.chunks_exact(pixels * i8_stride(channels)) {
        let mut row: Vec<i8> =
            image.chunks_exact(i8_stride(channels)).flat_map(|pixel| pixel[..channels].iter().copied()).collect();
        row.resize(i8_stride(cols), 0);
        out.extend(row);
    }
    out
}
