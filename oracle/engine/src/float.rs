//! The class `f32`: models as they were published, computed in floats on the CPU.
//!
//! It serves calibration and quality checks at import, and is never signed. Sums run in a fixed order of sixteen lanes,
//! so that a calibration gives the same artifact on processors with different vector widths.

pub mod bert;
pub mod cnn;
pub mod llama;
pub mod mlp;
mod product;

pub use product::linear;

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
}
