//! Matrix products of floats, whose sums run in one order on every processor.

use rayon::prelude::*;

/// Lanes of a dot product.
const LANES: usize = 16;
/// Rows of x, and rows of the weight, whose products are summed side by side in registers.
const TILE: [usize; 2] = [3, 2];
/// Rows of the weight that a thread takes at a time: few enough to stay in its second cache.
const BLOCK: usize = 16;

/// The sum of `a[i] * b[i]`.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    dots([a], [b])[0][0]
}

/// The sums of `a[i] * b[i]` for each pair of rows; the order of each sum does not depend on how many there are.
#[inline(always)]
fn dots<const A: usize, const B: usize>(a: [&[f32]; A], b: [&[f32]; B]) -> [[f32; B]; A] {
    let len = a[0].len();
    let (a, b) = (a.map(|row| &row[..len]), b.map(|row| &row[..len]));
    let whole = len / LANES * LANES;
    let mut lanes = [[[0f32; LANES]; B]; A];
    for at in (0..whole).step_by(LANES) {
        for (lanes, a) in lanes.iter_mut().zip(&a) {
            for (lanes, b) in lanes.iter_mut().zip(&b) {
                let pairs = a[at..at + LANES].iter().zip(&b[at..at + LANES]);
                lanes.iter_mut().zip(pairs).for_each(|(lane, (a, b))| *lane += a * b);
            }
        }
    }
    let mut out = [[0f32; B]; A];
    for ((out, lanes), a) in out.iter_mut().zip(&lanes).zip(&a) {
        for ((out, lanes), b) in out.iter_mut().zip(lanes).zip(&b) {
            *out = finish(lanes, &a[whole..], &b[whole..]);
        }
    }
    out
}

/// The sum of the lanes and of what was left over.
fn finish(lanes: &[f32; LANES], a: &[f32], b: &[f32]) -> f32 {
    let tail: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + tail
}

/// x `[rows][inputs]` times weight `[outputs][inputs]` transposed, plus bias `[outputs]`.
pub fn linear(x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    if bias.is_empty() || x.is_empty() {
        return vec![];
    }
    let (outputs, inputs) = (bias.len(), weight.len() / bias.len());
    let rows = x.len() / inputs;
    let mut out = vec![0f32; rows * outputs];
    // Each thread reads a block of the weight once for all rows; its columns are [outputs of the block][rows].
    let blocks: Vec<Vec<f32>> = weight.par_chunks(BLOCK * inputs).map(|weight| block(x, weight, inputs)).collect();
    out.par_chunks_mut(outputs).enumerate().for_each(|(r, out)| {
        for (out, column) in out.iter_mut().zip(blocks.iter().flat_map(|block| block.chunks_exact(rows))) {
            *out = column[r];
        }
        out.iter_mut().zip(bias).for_each(|(out, bias)| *out += bias);
    });
    out
}

/// `[rows of the weight][rows of x]`.
fn block(x: &[f32], weight: &[f32], inputs: usize) -> Vec<f32> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return tiles(x, weight, inputs, |x, w| {
            // SAFETY: the processor has AVX2, and all rows are of one length.
            unsafe { avx2::dots(x, w) }
        });
    }
    tiles(x, weight, inputs, dots)
}

/// The products of all rows by a function that takes a tile of them.
#[inline(always)]
fn tiles(
    x: &[f32],
    weight: &[f32],
    inputs: usize,
    tile: impl Fn([&[f32]; TILE[0]], [&[f32]; TILE[1]]) -> [[f32; TILE[1]]; TILE[0]],
) -> Vec<f32> {
    let rows = x.len() / inputs;
    let mut out = vec![0f32; weight.len() / inputs * rows];
    for (i, x) in x.chunks(TILE[0] * inputs).enumerate() {
        for (n, weight) in weight.chunks(TILE[1] * inputs).enumerate() {
            // Where rows are missing, the first one stands in, and its products are not looked at.
            let row = |of: &'_ [f32], r: usize| if of.len() > r * inputs { r * inputs } else { 0 };
            let xs = std::array::from_fn(|r| &x[row(x, r)..][..inputs]);
            let ws = std::array::from_fn(|o| &weight[row(weight, o)..][..inputs]);
            for (r, sums) in tile(xs, ws).iter().take(x.len() / inputs).enumerate() {
                for (o, sum) in sums.iter().take(weight.len() / inputs).enumerate() {
                    out[(n * TILE[1] + o) * rows + i * TILE[0] + r] = *sum;
                }
            }
        }
    }
    out
}

/// The same sums in the same order, in registers of eight.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256, _mm256_add_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };

    use super::{LANES, TILE, finish};

    /// As [`super::dots`].
    ///
    /// # Safety
    /// The processor has AVX2, and all rows are of one length.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn dots(x: [&[f32]; TILE[0]], w: [&[f32]; TILE[1]]) -> [[f32; TILE[1]]; TILE[0]] {
        let len = x[0].len();
        let whole = len / LANES * LANES;
        let mut sums: [[[__m256; 2]; TILE[1]]; TILE[0]] = [[[_mm256_setzero_ps(); 2]; TILE[1]]; TILE[0]];
        for at in (0..whole).step_by(LANES) {
            // SAFETY: `at + LANES` is no more than the length of every row.
            let load = |row: &[f32]| unsafe {
                [_mm256_loadu_ps(row.as_ptr().add(at)), _mm256_loadu_ps(row.as_ptr().add(at + 8))]
            };
            let w = [load(w[0]), load(w[1])];
            for r in 0..TILE[0] {
                let x = load(x[r]);
                for o in 0..TILE[1] {
                    for half in 0..2 {
                        sums[r][o][half] = _mm256_add_ps(sums[r][o][half], _mm256_mul_ps(x[half], w[o][half]));
                    }
                }
            }
        }
        let mut out = [[0f32; TILE[1]]; TILE[0]];
        for r in 0..TILE[0] {
            for o in 0..TILE[1] {
                let mut lanes = [0f32; LANES];
                for (half, sum) in sums[r][o].iter().enumerate() {
                    // SAFETY: there are sixteen lanes.
                    unsafe { _mm256_storeu_ps(lanes.as_mut_ptr().add(8 * half), *sum) };
                }
                out[r][o] = finish(&lanes, &x[r][whole..], &w[o][whole..]);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_layer_is_the_sum_of_products_whatever_its_shape() {
        for (rows, outputs, inputs) in [(2, 3, 19), (1, 1, 1), (5, 37, 16), (3, 34, 70), (4, 16, 33)] {
            let x: Vec<f32> = (0..rows * inputs).map(|i| (i % 29) as f32 * 0.25 - 2.0).collect();
            let weight: Vec<f32> = (0..outputs * inputs).map(|i| 1.5 - (i % 23) as f32 * 0.0625).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| i as f32 - 2.0).collect();
            let out = linear(&x, &weight, &bias);
            for (r, x) in x.chunks_exact(inputs).enumerate() {
                for (n, weight) in weight.chunks_exact(inputs).enumerate() {
                    // The values are multiples of 2^-6 and few, so that every sum is exact.
                    assert_eq!(out[r * outputs + n], dot(x, weight) + bias[n]);
                    let exact: f32 = x.iter().zip(weight).map(|(x, w)| x * w).sum();
                    assert!((out[r * outputs + n] - exact - bias[n]).abs() < 1e-3);
                }
            }
        }
        assert!(linear(&[], &[], &[]).is_empty());
    }
}
