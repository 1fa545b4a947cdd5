//! How the elements of published tensors are stored, and their values as F32.

use super::quants;

/// How a tensor's elements are stored, little-endian.
///
/// Floats are converted to the F32 of the same value. The others are the block formats of the ggml library: each block
/// holds small integers and the factors that make floats of them, which is done here in F32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

impl Encoding {
    /// Elements of a block; 1 for plain floats.
    pub(super) const fn elements(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => quants::SMALL,
            Self::Q4K | Self::Q5K | Self::Q6K => quants::LARGE,
        }
    }

    /// Bytes of a block.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// Bytes of so many elements; `None` where they are no whole blocks or too many.
    pub(super) fn len(self, elements: u64) -> Option<u64> {
        let block = self.elements() as u64;
        elements.is_multiple_of(block).then(|| (elements / block).checked_mul(self.bytes() as u64))?
    }

    /// Converts whole blocks; `to` has as many elements as `from` has.
    pub(super) fn decode(self, from: &[u8], to: &mut [f32]) {
        let decode = match self {
            Self::F32 => {
                return to.iter_mut().zip(from.chunks_exact(4)).for_each(|(v, b)| {
                    *v = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                });
            }
            Self::F16 => {
                return to.iter_mut().zip(from.chunks_exact(2)).for_each(|(v, b)| *v = from_f16([b[0], b[1]]));
            }
            Self::BF16 => {
                return to.iter_mut().zip(from.chunks_exact(2)).for_each(|(v, b)| {
                    *v = f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16);
                });
            }
            Self::Q4_0 => quants::q4_0,
            Self::Q4_1 => quants::q4_1,
            Self::Q5_0 => quants::q5_0,
            Self::Q5_1 => quants::q5_1,
            Self::Q8_0 => quants::q8_0,
            Self::Q4K => quants::q4_k,
            Self::Q5K => quants::q5_k,
            Self::Q6K => quants::q6_k,
        };
        to.chunks_exact_mut(self.elements())
            .zip(from.chunks_exact(self.bytes()))
            .for_each(|(to, from)| decode(from, to));
    }
}

/// The value of an IEEE 754 binary16: sign, 5 bits of exponent with bias 15, 10 bits of fraction.
pub(super) fn from_f16(bytes: [u8; 2]) -> f32 {
    let bits = u16::from_le_bytes(bytes);
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
