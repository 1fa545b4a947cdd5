//! The block formats of the ggml library, one block at a time.
//!
//! A small block has 32 elements: a factor, perhaps an offset, and small integers, the first half of the elements in
//! the low halves of the bytes and the second in the high ones. A large block has 256 elements in groups of 32 or 16,
//! each of which has factors of its own: small integers that the block's own factors multiply.
//!
//! Every function takes the bytes of one block and gives its elements; both have exactly the block's size.

use super::encoding::from_f16;

/// Elements of a small block.
pub(super) const SMALL: usize = 32;
/// Elements of a large block.
pub(super) const LARGE: usize = 256;

/// The float at this byte of a block.
fn half(block: &[u8], at: usize) -> f32 {
    from_f16([block[at], block[at + 1]])
}

/// Puts the low halves of bytes into the first half of a block and the high ones into the second.
fn nibbles(bytes: &[u8], to: &mut [f32], value: impl Fn(usize, u8) -> f32) {
    let (low, high) = to.split_at_mut(bytes.len());
    for (j, byte) in bytes.iter().enumerate() {
        low[j] = value(j, byte & 15);
        high[j] = value(j + bytes.len(), byte >> 4);
    }
}

/// 4 bits: factor * (q - 8).
pub(super) fn q4_0(block: &[u8], to: &mut [f32]) {
    let factor = half(block, 0);
    nibbles(&block[2..18], to, |_, q| (f32::from(q) - 8.0) * factor);
}

/// 4 bits: factor * q + offset.
pub(super) fn q4_1(block: &[u8], to: &mut [f32]) {
    let (factor, offset) = (half(block, 0), half(block, 2));
    nibbles(&block[4..20], to, |_, q| f32::from(q) * factor + offset);
}

/// The fifth bits of a block of 32.
fn fifth(bytes: &[u8], j: usize) -> u8 {
    (bytes[j / 8] >> (j % 8) & 1) << 4
}

/// 5 bits, the fifth apart: factor * (q - 16).
pub(super) fn q5_0(block: &[u8], to: &mut [f32]) {
    let factor = half(block, 0);
    nibbles(&block[6..22], to, |j, q| (f32::from(q | fifth(&block[2..6], j)) - 16.0) * factor);
}

/// 5 bits, the fifth apart: factor * q + offset.
pub(super) fn q5_1(block: &[u8], to: &mut [f32]) {
    let (factor, offset) = (half(block, 0), half(block, 2));
    nibbles(&block[8..24], to, |j, q| f32::from(q | fifth(&block[4..8], j)) * factor + offset);
}

/// Signed bytes: factor * q.
pub(super) fn q8_0(block: &[u8], to: &mut [f32]) {
    let factor = half(block, 0);
    to.iter_mut().zip(&block[2..34]).for_each(|(v, q)| *v = f32::from(*q as i8) * factor);
}

/// Factor and offset of group `group` of 8: 6 bits each, packed into 12 bytes. The last four groups have their low
/// four bits in the last four bytes and their high two bits above those of the first four groups.
fn group_scales(packed: &[u8], group: usize) -> (u8, u8) {
    if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        let (low, factor, offset) = (packed[group + 4], packed[group - 4] >> 6, packed[group] >> 6);
        (low & 15 | factor << 4, low >> 4 | offset << 4)
    }
}

/// 4 bits in 8 groups of 32: factor * q - offset. Groups pair up, low halves of 32 bytes and high ones.
pub(super) fn q4_k(block: &[u8], to: &mut [f32]) {
    large(block, &block[16..144], to, |_, _| 0);
}

/// 5 bits in 8 groups of 32, the fifth apart: factor * q - offset.
pub(super) fn q5_k(block: &[u8], to: &mut [f32]) {
    large(block, &block[48..176], to, |group, j| (block[16 + j] >> group & 1) << 4);
}

fn large(block: &[u8], low: &[u8], to: &mut [f32], fifth: impl Fn(usize, usize) -> u8) {
    let (factor, offset) = (half(block, 0), half(block, 2));
    for (group, to) in to.chunks_exact_mut(32).enumerate() {
        let (by, less) = group_scales(&block[4..16], group);
        let (by, less) = (factor * f32::from(by), offset * f32::from(less));
        let shift = 4 * (group % 2);
        for (j, (v, q)) in to.iter_mut().zip(&low[group / 2 * 32..]).enumerate() {
            *v = by * f32::from(q >> shift & 15 | fifth(group, j)) - less;
        }
    }
}

/// 6 bits in 16 groups of 16: factor * (q - 32), the low four bits apart from the high two.
pub(super) fn q6_k(block: &[u8], to: &mut [f32]) {
    let (low, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let factor = half(block, 208);
    for (i, v) in to.iter_mut().enumerate() {
        // Each half of the block has four runs of 32: two in the low halves of 64 bytes, two in the high ones.
        let (part, run, j) = (i / 128, i / 32 % 4, i % 32);
        let four = low[part * 64 + run % 2 * 32 + j] >> (run / 2 * 4) & 15;
        let two = high[part * 32 + j] >> (2 * run) & 3;
        let scale = factor * f32::from(scales[i / 16] as i8);
        *v = scale * (f32::from(four | two << 4) - 32.0);
    }
}
