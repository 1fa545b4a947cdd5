//! Matrix units, which wgpu calls cooperative matrices: which of an adapter's kinds serves for products of bytes.
//!
//! Matrix units multiply floats. Bytes are exact in 16 bits, and a sum of up to [`EXACT`] products of bytes is at most 2^24,
//! up to which every integer is a float of 32 bits. So whatever order a unit adds in, its sum is right, if it keeps all of the
//! 24 bits; what comes out goes on as an integer. Some hardware keeps fewer, and WGSL promises nothing. Therefore a kind is
//! used only after [`crate::kernels::self_test::prove`] found every sum exact on this very device, up to the extremes. Units
//! that add in 16 bits are never used.

use std::fmt;

use serde::{Deserialize, Serialize};
use wgpu::{CooperativeMatrixProperties, CooperativeScalarType};

/// Products of two bytes whose sum is exact in a float of 32 bits, whatever the bytes.
pub const EXACT: usize = 1 << 10;
/// Subgroups of a workgroup.
pub const SUBGROUPS: u32 = 4;
/// Why there are none where it is not known, or of no use, how many invocations have a matrix in common.
const SUBGROUPS_DIFFER: &str = "no subgroups of a fixed size of 4 to 32 invocations are to be used";

/// A kind of matrix unit: squares of what it multiplies and adds to sums of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Unit {
    /// 16 by 16 floats of 16 bits.
    Half16,
    /// 8 by 8 floats of 16 bits.
    Half8,
    /// 8 by 8 floats of 32 bits.
    Float8,
}

impl Unit {
    /// All there are, the best first.
    pub const ALL: [Self; 3] = [Self::Half16, Self::Half8, Self::Float8];

    /// Rows and columns of its matrices.
    #[must_use]
    pub const fn side(self) -> u32 {
        if matches!(self, Self::Half16) { 16 } else { 8 }
    }

    /// Whether it multiplies floats of 16 bits.
    #[must_use]
    pub const fn half(self) -> bool {
        !matches!(self, Self::Float8)
    }

    /// Whether this is what the adapter describes.
    fn is(self, offered: &CooperativeMatrixProperties) -> bool {
        let ab_type = if self.half() { CooperativeScalarType::F16 } else { CooperativeScalarType::F32 };
        [offered.m_size, offered.n_size, offered.k_size] == [self.side(); 3]
            && offered.ab_type == ab_type
            && offered.cr_type == CooperativeScalarType::F32
    }
}

/// Matrix units of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Their kind.
    pub unit: Unit,
    /// Invocations of a subgroup, which have a matrix in common.
    pub subgroup: u32,
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (side, bits) = (self.unit.side(), if self.unit.half() { 16 } else { 32 });
        write!(f, "{side}x{side}x{side} of {bits}-bit floats, subgroups of {}", self.subgroup)
    }
}

/// The best of the kinds that are offered; `half` tells whether floats of 16 bits may be used, `subgroup` how many
/// invocations all subgroups have.
///
/// # Errors
///
/// Says why there is none.
pub(super) fn choose(
    offered: &[CooperativeMatrixProperties],
    half: bool,
    subgroup: Option<u32>,
) -> Result<Matrix, String> {
    if offered.is_empty() {
        return Err("the adapter offers none".into());
    }
    // A workgroup's subgroups share out squares of sums in which each invocation has pairs of rows.
    let subgroup = subgroup.filter(|size| matches!(size, 4 | 8 | 16 | 32));
    let subgroup = subgroup.ok_or(SUBGROUPS_DIFFER)?;
    let usable = |unit: &Unit| (half || !unit.half()) && offered.iter().any(|offered| unit.is(offered));
    let unit = Unit::ALL.into_iter().find(usable);
    let kinds = || offered.iter().map(describe).collect::<Vec<_>>().join(", ");
    unit.map(|unit| Matrix { unit, subgroup }).ok_or_else(|| format!("none of the adapter's serves: {}", kinds()))
}

fn describe(offered: &CooperativeMatrixProperties) -> String {
    let CooperativeMatrixProperties { m_size, n_size, k_size, ab_type, cr_type, .. } = offered;
    format!("{m_size}x{n_size}x{k_size} {ab_type:?} to {cr_type:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use CooperativeScalarType::{F16, F32, I32};

    fn offer(
        [m_size, n_size, k_size]: [u32; 3],
        ab_type: CooperativeScalarType,
        cr_type: CooperativeScalarType,
    ) -> CooperativeMatrixProperties {
        CooperativeMatrixProperties { m_size, n_size, k_size, ab_type, cr_type, saturating_accumulation: false }
    }

    #[test]
    fn the_best_kind_is_taken_whatever_the_order() {
        let all = [
            offer([8; 3], F32, F32),
            offer([16; 3], F16, F16),
            offer([8; 3], F16, F32),
            offer([16, 8, 16], F16, F32),
            offer([16; 3], F16, F32),
        ];
        let unit = |offered: &[_], half| choose(offered, half, Some(32)).unwrap().unit;
        assert_eq!(unit(&all, true), Unit::Half16);
        assert_eq!(unit(&all[..3], true), Unit::Half8);
        assert_eq!(unit(&all[..2], true), Unit::Float8);
        // Without floats of 16 bits.
        assert_eq!(unit(&all, false), Unit::Float8);
        let matrix = choose(&all, true, Some(8)).unwrap();
        assert_eq!(matrix.to_string(), "16x16x16 of 16-bit floats, subgroups of 8");
    }

    #[test]
    fn what_does_not_serve_is_refused_with_the_reason() {
        let wrong = |offered: &[_], half, subgroup| choose(offered, half, subgroup).unwrap_err();
        assert_eq!(wrong(&[], true, Some(32)), "the adapter offers none");
        let good = [offer([16; 3], F16, F32)];
        for subgroup in [None, Some(2), Some(24), Some(64)] {
            assert_eq!(wrong(&good, true, subgroup), SUBGROUPS_DIFFER);
        }
        let none = "none of the adapter's serves: 16x16x16 F16 to F32";
        assert_eq!(wrong(&good, false, Some(32)), none);
        // Sums of 16 bits, sides that differ, integers.
        let bad = [offer([16; 3], F16, F16), offer([16, 8, 16], F16, F32), offer([16; 3], I32, I32)];
        let none = "none of the adapter's serves: 16x16x16 F16 to F16, 16x8x16 F16 to F32, 16x16x16 I32 to I32";
        assert_eq!(wrong(&bad, true, Some(32)), none);
    }

    /// The sum of products of two bytes in floats, by chunks, each of which becomes an integer; the sum in integers.
    fn sums(products: impl Iterator<Item = (i8, i8)>, chunk: usize) -> (i64, i64) {
        let products: Vec<(i8, i8)> = products.collect();
        let float =
            |part: &[(i8, i8)]| part.iter().fold(0f32, |sum, &(a, b)| f32::from(a).mul_add(f32::from(b), sum)) as i64;
        let whole = products.iter().map(|&(a, b)| i64::from(a) * i64::from(b)).sum();
        (products.chunks(chunk).map(float).sum(), whole)
    }

    #[test]
    fn sums_of_1024_products_are_exact_and_of_more_are_not() {
        let extremes: [fn(usize) -> (i8, i8); 4] = [
            |_| (-128, -128),
            |k| (-128, if k % 2 == 0 { -128 } else { 127 }),
            |k| if k % EXACT == EXACT - 1 { (-1, -1) } else { (-128, -128) },
            |k| if k % 7 == 0 { (-1, 127) } else { (127, -128) },
        ];
        for extreme in extremes {
            for len in [EXACT, 4 * EXACT + 5] {
                let (float, whole) = sums((0..len).map(extreme), EXACT);
                assert_eq!(float, whole);
            }
        }
        // One more reaches 2^24 + 1, which is no float.
        let (float, whole) = sums((0..EXACT).map(|_| (-128, -128)).chain([(-1, -1)]), EXACT + 1);
        assert_eq!((float, whole), (1 << 24, (1 << 24) + 1));
    }
}
