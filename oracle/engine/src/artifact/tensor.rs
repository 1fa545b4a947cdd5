//! Tensors as they lie in an artifact.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::plan::i8_stride;

/// The type of a tensor's elements, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Dtype {
    /// Signed bytes, rows padded to a multiple of 16.
    I8 = 1,
    /// Signed 16-bit integers.
    I16 = 2,
    /// Signed 32-bit integers.
    I32 = 3,
    /// Packed scales, see [`provena_arith::fixed::Scale`].
    Scale = 4,
}

impl Dtype {
    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::Scale => 4,
        }
    }

    /// Whether tensors of this type count as parameters.
    pub const fn is_weight(self) -> bool {
        matches!(self, Self::I8 | Self::I16)
    }
}

/// A tensor inside an artifact: a matrix, or a vector with one row.
#[derive(Clone, Copy)]
pub struct TensorRef<'a> {
    /// Its name.
    pub name: &'a str,
    /// Type of its elements.
    pub dtype: Dtype,
    /// Number of rows; 1 for vectors.
    pub rows: usize,
    /// Number of columns that carry meaning.
    pub cols: usize,
    /// All elements, row after row, padding included.
    pub bytes: &'a [u8],
}

impl<'a> TensorRef<'a> {
    /// Elements from one row to the next.
    pub const fn stride(&self) -> usize {
        match self.dtype {
            Dtype::I8 => i8_stride(self.cols),
            _ => self.cols,
        }
    }

    /// Row `row` of an `I8` tensor, padding included.
    pub fn i8_row(&self, row: usize) -> &'a [i8] {
        bytemuck::cast_slice(&self.bytes[row * self.stride()..(row + 1) * self.stride()])
    }

    /// Row `row` of an `I16` tensor.
    pub fn i16_row(&self, row: usize) -> impl Iterator<Item = i32> + 'a {
        let bytes = &self.bytes[2 * row * self.cols..2 * (row + 1) * self.cols];
        bytes.chunks_exact(2).map(|b| i32::from(i16::from_le_bytes([b[0], b[1]])))
    }

    /// All elements of an `I32` tensor.
    pub fn i32s(&self) -> Vec<i32> {
        self.bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    /// All elements of a `Scale` tensor.
    pub fn scales(&self) -> Vec<provena_arith::fixed::Scale> {
        let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        self.bytes.chunks_exact(4).map(|b| provena_arith::fixed::Scale(word(b))).collect()
    }
}

/// Rows of signed bytes as they lie in a file, from rows without padding.
pub(super) fn padded(cols: usize, values: &[i8]) -> Vec<u8> {
    let stride = i8_stride(cols);
    let rows = values.chunks_exact(cols.max(1));
    let mut bytes = vec![0u8; rows.len() * stride];
    for (to, from) in bytes.chunks_exact_mut(stride.max(1)).zip(rows) {
        to[..cols].copy_from_slice(bytemuck::cast_slice(from));
    }
    bytes
}
