//! The scalar operations against exact wide arithmetic, and their known answers.

use proptest::prelude::*;
use provena_arith::fixed::*;

/// x / 2^bits rounded to the nearest, ties up, exactly.
fn exact_round(x: i128, bits: u32) -> i128 {
    if bits == 0 { x } else { (x + (1 << (bits - 1))) >> bits }
}

#[test]
fn known_answers_hold() {
    let wrong: Vec<_> = known::answers().filter(|k| k.found != k.expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn mul16_is_the_floor_of_the_exact_product(a: i32, m: i16) {
        prop_assert_eq!(i64::from(mul16(a, m.into())), (i64::from(a) * i64::from(m)) >> 16);
    }

    #[test]
    fn round_shift_is_exact_where_nothing_wraps(x in -(1i32 << 30)..1 << 30, bits in 0u32..30) {
        prop_assert_eq!(i128::from(round_shift(x, bits)), exact_round(x.into(), bits));
    }

    #[test]
    fn a_scale_rounds_once(x in -(1i32 << 20)..1 << 20, m: i16, right in 1u32..28, left in 0u32..11) {
        let exact = exact_round((i128::from(x) << left) * i128::from(m), 16 + right);
        prop_assert_eq!(i128::from(Scale::new(m, right, left).apply(x)), exact);
    }

    #[test]
    fn a_scale_keeps_its_parts(m: i16, right in 0u32..32, left in 0u32..32) {
        let scale = Scale::new(m, right, left);
        prop_assert_eq!((scale.multiplier(), scale.right(), scale.left()), (i32::from(m), right, left));
    }

    #[test]
    fn every_bit_pattern_of_a_scale_has_a_meaning(bits: u32, x: i32) {
        let _ = Scale(bits).apply(x);
    }

    #[test]
    fn isqrt_is_the_floor(v: u32) {
        let root = u64::from(isqrt(v));
        prop_assert!(root * root <= u64::from(v) && (root + 1) * (root + 1) > u64::from(v));
    }

    #[test]
    fn a_mean_is_exact(values in prop::collection::vec(-32_767i32..=32_767, 1..600)) {
        let (sum, count) = (values.iter().sum::<i32>(), values.len() as i32);
        // round-half-up of sum / count: floor((2 sum + count) / (2 count)), where an odd count's half is rounded down
        // in the dividend, which no integer sum can see.
        prop_assert_eq!(mean(sum, count as u32), (sum + count / 2).div_euclid(count));
    }

    #[test]
    fn squares_do_not_depend_on_order_and_lose_nothing(mut values in prop::collection::vec(-65_535i32..=65_535, 1..600)) {
        let sum = |v: &[i32]| v.iter().fold(SquareSum::default(), |s, d| s.add(*d));
        let forward = sum(&values);
        let exact: u64 = values.iter().map(|d| (i64::from(*d) * i64::from(*d)) as u64).sum();
        prop_assert_eq!(u64::from(forward.low) + (u64::from(forward.high) << 16), exact);
        let (front, back) = values.split_at(values.len() / 2);
        prop_assert_eq!(sum(front).merge(sum(back)), forward);
        values.reverse();
        prop_assert_eq!(sum(&values), forward);
    }

    #[test]
    fn an_inverse_root_is_right_to_fourteen_bits(values in prop::collection::vec(-65_535i32..=65_535, 1..600)) {
        let sum = values.iter().fold(SquareSum::default(), |s, d| s.add(*d));
        let exact: f64 = values.iter().map(|d| f64::from(*d) * f64::from(*d)).sum();
        prop_assume!(exact > 0.0);
        let inverse = sum.inverse_root();
        let found = f64::from(inverse.factor) / 2f64.powi(30 + inverse.exponent);
        prop_assert!((found * exact.sqrt() - 1.0).abs() < 1.0 / 8_192.0, "{found} of {exact}");
        prop_assert!((1 << 14..1 << 15).contains(&inverse.factor));
    }

    #[test]
    fn a_normalised_row_has_length_one(
        magnitude in 1i32..65_535, seeds in prop::collection::vec(-1.0f64..1.0, 2..600), bits in 15i32..=20
    ) {
        let values: Vec<i32> = seeds.iter().map(|s| (s * f64::from(magnitude)) as i32).collect();
        let inverse = values.iter().fold(SquareSum::default(), |s, d| s.add(*d)).inverse_root();
        let exact = values.iter().map(|d| f64::from(*d) * f64::from(*d)).sum::<f64>().sqrt();
        // A product loses two bits, and is shifted to the left where the row is short.
        let step = 2f64.powi((bits - 28 - inverse.exponent).max(0));
        for d in values {
            let found = f64::from(normalise(d, inverse, bits));
            let expected = if exact == 0.0 { 0.0 } else { f64::from(d) / exact * 2f64.powi(bits) };
            prop_assert!((found - expected).abs() <= step + expected.abs() / 8_192.0, "{found} for {expected}");
        }
    }

    #[test]
    fn a_context_is_the_weighted_mean(
        pairs in prop::collection::vec((0i32..=EXP_ONE, -127i32..=127), 1..1_000)
    ) {
        // The largest weight of a row is always EXP_ONE.
        let weights: Vec<i32> = pairs.iter().enumerate().map(|(i, p)| if i == 0 { EXP_ONE } else { p.0 }).collect();
        let total: u32 = weights.iter().map(|w| *w as u32).sum();
        let weighted: i32 = weights.iter().zip(&pairs).map(|(w, p)| w * p.1).sum();
        let exact = f64::from(weighted) / f64::from(total) * 256.0;
        let found = f64::from(context(weighted, reciprocal(total)));
        prop_assert!((found - exact).abs() <= 1.0 + exact.abs() / 8_192.0, "{found} for {exact}");
    }

    #[test]
    fn indices_stay_inside_their_tables(x: i32, bits: u32, log_len in 1u32..16) {
        prop_assert!(table_index(x, 1 << log_len) < 1 << log_len);
        prop_assert!(exp_index(x, Scale(bits), 1 << log_len) < 1 << log_len);
    }

    #[test]
    fn nothing_panics_for_any_data(low: u32, high: u32, d: i32, bits in 15i32..=20, total: u32, sum: i32, count: u32) {
        let _ = normalise(d, SquareSum { low, high }.inverse_root(), bits);
        let _ = context(sum, reciprocal(total));
        let _ = mean(sum, count);
    }
}
