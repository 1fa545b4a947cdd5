//! Matrix products of floats, whose sums run in one order on every processor.

use rayon::prelude::*;

/// Lanes of a dot product.
const LANES: usize = 16;
/// Rows of x, and rows of the weight, whose products are summed side by side in registers.
const TILE: [usize; 2] = [2, 2];
/// Rows of the weight that a thread takes at a time: few enough to stay in its second cache.
const BLOCK: usize = 16;

/// The sum of a[i] * b[i].
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    dots([a], [b])[0][0]
}

/// The sums of a[i] * b[i] for each pair of rows; the order of each sum does not depend on how many there are.
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
            let tail: f32 = a[whole..].iter().zip(&b[whole..]).map(|(a, b)| a * b).sum();
            *out = lanes.iter().sum::<f32>() + tail;
        }
    }
    out
}

/// x [rows][inputs] times weight [outputs][inputs] transposed, plus bias [outputs].
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

/// [rows of the weight][rows of x], with wider registers where the processor has them: the same sums in the same order.
fn block(x: &[f32], weight: &[f32], inputs: usize) -> Vec<f32> {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn block_avx2(x: &[f32], weight: &[f32], inputs: usize) -> Vec<f32> {
            block_portable(x, weight, inputs)
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function needs beyond the safe version.
            return unsafe { block_avx2(x, weight, inputs) };
        }
    }
    block_portable(x, weight, inputs)
}

#[inline(always)]
fn block_portable(x: &[f32], weight: &[f32], inputs: usize) -> Vec<f32> {
    let [x_tile, w_tile] = TILE;
    let rows = x.len() / inputs;
    let mut out = vec![0f32; weight.len() / inputs * rows];
    for (i, x) in x.chunks(x_tile * inputs).enumerate() {
        for (n, weight) in weight.chunks(w_tile * inputs).enumerate() {
            let (x0, x1) = x.split_at(inputs);
            let (w0, w1) = weight.split_at(inputs);
            let at = |r: usize, o: usize| (n * w_tile + o) * rows + i * x_tile + r;
            if x1.is_empty() || w1.is_empty() {
                for (r, x) in x.chunks_exact(inputs).enumerate() {
                    for (o, w) in weight.chunks_exact(inputs).enumerate() {
                        out[at(r, o)] = dots([x], [w])[0][0];
                    }
                }
                continue;
            }
            let sums = dots([x0, x1], [w0, w1]);
            for (r, sums) in sums.iter().enumerate() {
                for (o, sum) in sums.iter().enumerate() {
                    out[at(r, o)] = *sum;
                }
            }
        }
    }
    out
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
