//! Real factors as packed scales.

use provena_arith::fixed::Scale;

use crate::error::Error;

/// The packed scale nearest to `factor`, for values of a magnitude up to `largest`.
///
/// # Errors
/// [`Error::Import`] when a value could wrap: the model's ranges are beyond what int-v1 can hold.
pub(super) fn encode(factor: f64, largest: f64) -> Result<Scale, Error> {
    if factor == 0.0 {
        return Ok(Scale::new(0, 1, 0));
    }
    // |factor| = fraction * 2^exponent with 0.5 <= fraction < 1, multiplier = fraction * 2^15.
    let mut exponent = factor.abs().log2().floor() as i32 + 1;
    let mut multiplier = (factor.abs() * 2f64.powi(15 - exponent)).round();
    if multiplier >= 32_768.0 {
        multiplier = 16_384.0;
        exponent += 1;
    }
    // multiplier * 2^left / 2^(16 + right) = factor, with right >= 1 so that there is something to round.
    let mut right = -1 - exponent;
    let left = (1 - right).max(0);
    right = right.max(1);
    if right > 30 {
        multiplier = (multiplier / 2f64.powi(right - 30)).round();
        right = 30;
    }
    let before = largest * 2f64.powi(left);
    if !factor.is_finite() || left > 30 || before >= 2f64.powi(31) {
        return Err(Error::Import(format!(
            "a factor of {factor:e} on values up to {largest:e} needs more than 32 bits"
        )));
    }
    Ok(Scale::new((multiplier * factor.signum()) as i16, right as u32, left as u32))
}

/// [`encode`] for each of several factors and the largest value that each is applied to.
pub(super) fn encode_all(factors: impl IntoIterator<Item = (f64, f64)>) -> Result<Vec<Scale>, Error> {
    factors.into_iter().map(|(factor, largest)| encode(factor, largest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_factor_that_would_wrap_is_refused() {
        assert!(matches!(encode(1e6, 1e6), Err(Error::Import(_))));
        assert!(matches!(encode(f64::NAN, 1.0), Err(Error::Import(_))));
        assert_eq!(encode(0.0, 1e9).unwrap().apply(123_456), 0);
    }

    proptest! {
        #[test]
        fn an_encoded_factor_is_right_to_fifteen_bits(log in -12.0f64..6.0, sign: bool, x in -20_000i32..20_000) {
            let factor = log.exp2() * if sign { 1.0 } else { -1.0 };
            let exact = factor * f64::from(x);
            let found = f64::from(encode(factor, 20_000.0).unwrap().apply(x));
            prop_assert!((found - exact).abs() <= 0.5 + exact.abs() / 32_000.0, "{found} for {exact}");
        }
    }
}
