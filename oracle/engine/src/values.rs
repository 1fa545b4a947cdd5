//! The contents of a plan's buffers.

use crate::plan::{Buffer, Element};

/// The elements of one buffer, row after row, padding included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Elements of an [`Element::I8`] or [`Element::Split`] buffer.
    I8(Vec<i8>),
    /// Elements of an [`Element::I32`] buffer.
    I32(Vec<i32>),
    /// Elements of an [`Element::U32`] buffer.
    U32(Vec<u32>),
}

impl Values {
    /// Zeros in the shape of `buffer`.
    pub fn zeros(buffer: &Buffer) -> Self {
        match buffer.element {
            Element::I8 | Element::Split => Self::I8(vec![0; buffer.len()]),
            Element::I32 => Self::I32(vec![0; buffer.len()]),
            Element::U32 => Self::U32(vec![0; buffer.len()]),
        }
    }

    /// Whether the type and the length are those of `buffer`.
    pub fn fits(&self, buffer: &Buffer) -> bool {
        match (self, buffer.element) {
            (Self::I8(v), Element::I8 | Element::Split) => v.len() == buffer.len(),
            (Self::I32(v), Element::I32) => v.len() == buffer.len(),
            (Self::U32(v), Element::U32) => v.len() == buffer.len(),
            _ => false,
        }
    }

    /// The elements as bytes in the host's order, as they are uploaded.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::I8(v) => bytemuck::cast_slice(v),
            Self::I32(v) => bytemuck::cast_slice(v),
            Self::U32(v) => bytemuck::cast_slice(v),
        }
    }

    /// The elements of `buffer` from bytes in the host's order; `None` when the length differs.
    pub fn from_bytes(buffer: &Buffer, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == buffer.byte_len()).then(|| match buffer.element {
            Element::I8 | Element::Split => Self::I8(bytemuck::pod_collect_to_vec(bytes)),
            Element::I32 => Self::I32(bytemuck::pod_collect_to_vec(bytes)),
            Element::U32 => Self::U32(bytemuck::pod_collect_to_vec(bytes)),
        })
    }

    /// The signed bytes; empty for other types.
    pub fn as_i8(&self) -> &[i8] {
        if let Self::I8(v) = self { v } else { &[] }
    }

    /// The signed words; empty for other types.
    pub fn as_i32(&self) -> &[i32] {
        if let Self::I32(v) = self { v } else { &[] }
    }

    /// The unsigned words; empty for other types.
    pub fn as_u32(&self) -> &[u32] {
        if let Self::U32(v) = self { v } else { &[] }
    }
}
