//! The class `f32`: models as they were published, computed in floats on the CPU.
//!
//! It serves calibration and quality checks at import, and is never signed. Sums run in a fixed order of sixteen lanes,
//! so that a calibration gives the same artifact on processors with different vector widths.

pub mod bert;
pub mod cnn;
pub mod mlp;

use rayon::prelude::*;

/// Lanes of a dot product.
const LANES: usize = 16;

/// The sum of a[i] * b[i].
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f32>() + tail
}

/// x [rows][inputs] times weight [outputs][inputs] transposed, plus bias [outputs].
pub fn linear(x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let (outputs, inputs) = (bias.len(), weight.len() / bias.len());
    let mut out = vec![0f32; x.len() / inputs * outputs];
    // Each thread reads a block of the weight once for all rows.
    let columns: Vec<Vec<f32>> = weight
        .par_chunks(inputs)
        .zip(bias)
        .map(|(weight, bias)| x.chunks_exact(inputs).map(|x| bias + dot_wide(x, weight)).collect())
        .collect();
    for (n, column) in columns.iter().enumerate() {
        for (row, v) in column.iter().enumerate() {
            out[row * outputs + n] = *v;
        }
    }
    out
}

/// [`dot`] with wider registers where the processor has them; the same sums in the same order.
fn dot_wide(a: &[f32], b: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn dot_avx2(a: &[f32], b: &[f32]) -> f32 {
            dot(a, b)
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function needs beyond the safe version.
            return unsafe { dot_avx2(a, b) };
        }
    }
    dot(a, b)
}

/// The error function, to about 1e-15 near zero and 1e-12 elsewhere: its series, or its continued fraction far out.
pub fn erf(x: f64) -> f64 {
    let a = x.abs();
    let value = if a < 3.0 {
        // erf(a) = 2/sqrt(pi) exp(-a^2) sum of 2^n a^(2n+1) / (1 * 3 * .. * (2n+1))
        let (mut term, mut sum, mut n) = (a, a, 0.0);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= 2.0 * a * a / (2.0 * n + 1.0);
            sum += term;
        }
        std::f64::consts::FRAC_2_SQRT_PI * (-a * a).exp() * sum
    } else if a < 6.0 {
        let mut fraction = a;
        for k in (1..=60).rev() {
            fraction = a + f64::from(k) / 2.0 / fraction;
        }
        1.0 - (-a * a).exp() / (fraction * std::f64::consts::PI.sqrt())
    } else {
        1.0
    };
    value.copysign(x)
}

/// GELU in its exact form.
pub fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

/// Cosine of the angle between two vectors; 0 when one of them is zero.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |x: &[f32], y: &[f32]| -> f64 { x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum() };
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths == 0.0 { 0.0 } else { dot(a, b) / lengths }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from Abramowitz and Stegun, table 7.1, and the symmetry.
    #[test]
    fn erf_has_its_tabulated_values() {
        for (x, expected) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_8),
            (1.0, 0.842_700_792_9),
            (2.0, 0.995_322_265_0),
            (3.0, 0.999_977_909_5),
            (4.0, 0.999_999_984_6),
        ] {
            assert!((erf(x) - expected).abs() < 1e-9, "{x}");
            assert_eq!(erf(-x), -erf(x));
        }
    }

    #[test]
    fn a_linear_layer_is_the_sum_of_products() {
        let x: Vec<f32> = (0..2 * 19).map(|i| i as f32 * 0.25 - 2.0).collect();
        let weight: Vec<f32> = (0..3 * 19).map(|i| 1.5 - i as f32 * 0.0625).collect();
        let out = linear(&x, &weight, &[1.0, -2.0, 0.5]);
        for row in 0..2 {
            for n in 0..3 {
                let exact: f32 = (0..19).map(|k| x[row * 19 + k] * weight[n * 19 + k]).sum();
                assert!((out[row * 3 + n] - exact - [1.0, -2.0, 0.5][n]).abs() < 1e-3);
            }
        }
    }
}
