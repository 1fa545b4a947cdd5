//! Elements of tensors as F32: every value that the narrower types have is one of F32's, so nothing is rounded.

use safetensors::Dtype;

/// How a type's little-endian bytes become floats.
pub type Decode = fn(&[u8]) -> Vec<f32>;

/// What to do with the elements of a tensor.
pub enum Elements {
    /// They are weights.
    Floats(Decode),
    /// They are integers, which no model that is imported here has for weights.
    Integers,
    /// They cannot be read.
    Unknown,
}

/// What a type's elements are.
pub fn elements(dtype: Dtype) -> Elements {
    match dtype {
        Dtype::F32 => Elements::Floats(|bytes| {
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        }),
        Dtype::BF16 => Elements::Floats(|bytes| words(bytes).map(|w| f32::from_bits(u32::from(w) << 16)).collect()),
        Dtype::F16 => Elements::Floats(|bytes| words(bytes).map(from_f16).collect()),
        Dtype::I64 | Dtype::I32 | Dtype::U8 | Dtype::BOOL => Elements::Integers,
        _ => Elements::Unknown,
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]))
}

/// The value of an IEEE 754 binary16: sign, 5 bits of exponent with bias 15, 10 bits of fraction.
fn from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from((bits >> 10) & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        // Zero and subnormals: whole multiples of 2^-24, all of them normal in F32, so the product is exact.
        0 => (fraction as f32 * f32::from_bits((127 - 24) << 23)).to_bits(),
        // Infinity and NaN stay what they are, to be refused like all others.
        0x1f => (0xff << 23) | (fraction << 13),
        _ => ((exponent + 127 - 15) << 23) | (fraction << 13),
    };
    f32::from_bits(sign | magnitude)
}
