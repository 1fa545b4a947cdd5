//! Wide and split values against exact wide arithmetic.

use proptest::prelude::*;
use provena_arith::fixed::*;

/// x / 2^bits rounded to the nearest, ties up, exactly.
fn exact_round(x: i64, bits: u32) -> i64 {
    if bits == 0 { x } else { (x + (1 << (bits - 1))) >> bits }
}

#[test]
fn every_split_value_has_two_signed_bytes() {
    for x in -SPLIT_MAX..=SPLIT_MAX {
        let (high, low) = split(x);
        assert_eq!(256 * high + low, x);
        assert!((-127..=127).contains(&high) && (-128..=127).contains(&low), "{x}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn a_joined_sum_is_the_exact_one_within_half(high in -(1i32 << 29)..1 << 29, low in -(1i32 << 29)..1 << 29) {
        let exact = (i64::from(high) << 8) + i64::from(low);
        prop_assert_eq!(i64::from(join(high, low)), exact_round(exact, 8));
    }

    #[test]
    fn a_rotation_rounds_once_and_never_wraps(a in -32_767i32..=32_767, b in -32_767i32..=32_767, angle in 0.0f64..7.0) {
        let [cos, sin] = [angle.cos(), angle.sin()].map(|v| (v * 32_767.0).round() as i32);
        let exact = |x: i64, y: i64| exact_round(x + y, 15);
        let [ax, bx] = [a, b].map(|v| i64::from(v) * i64::from(cos));
        let [ay, by] = [a, b].map(|v| i64::from(v) * i64::from(sin));
        let (x, y) = rotate(a, b, cos, sin);
        prop_assert_eq!((i64::from(x), i64::from(y)), (exact(ax, -by), exact(bx, ay)));
    }

    #[test]
    fn an_interpolation_lies_on_the_line_and_hits_the_points(
        log in 2u32..=10,
        values in prop::collection::vec(-32_767i32..=32_767, 1_025),
        x: i16,
    ) {
        let table = &values[..(1 << log) + 1];
        let width = 1i64 << (16 - log);
        let at = i64::from(x.max(-32_767)) + 32_768;
        let (i, part) = ((at / width) as usize, at % width);
        let exact = i64::from(table[i]) * (width - part) + i64::from(table[i + 1]) * part;
        prop_assert_eq!(i64::from(interpolate(table, x.into())), exact_round(exact, 16 - log));
        if part == 0 {
            prop_assert_eq!(interpolate(table, x.into()), table[i]);
        }
    }

    #[test]
    fn a_shifted_row_fits_and_is_no_smaller_than_needed(largest in 0u32..1 << 31) {
        let shift = row_shift(largest);
        prop_assert!(exact_round(largest.into(), shift) <= 1 << 15);
        prop_assert!(shift == 0 || exact_round(largest.into(), shift - 1) > (1 << 15) - 1);
    }

    #[test]
    fn an_epsilon_is_the_floor_of_its_quotient(
        values in prop::collection::vec(-32_768i32..=32_768, 1..64),
        epsilon in 0u64..1 << 48,
        shift in 0u32..=11,
    ) {
        let squares = values.iter().fold(SquareSum::default(), |sum, v| sum.add(*v));
        let with = squares.add_epsilon(epsilon as u32, (epsilon >> 32) as u32, shift);
        let exact = |sum: SquareSum| (u64::from(sum.high) << 16) + u64::from(sum.low);
        prop_assert_eq!(exact(with), exact(squares) + (epsilon >> (2 * shift)));
    }

    #[test]
    fn a_wide_sum_does_not_depend_on_how_it_is_cut(
        products in prop::collection::vec(-2_080_641i32..=2_080_641, 1..400),
        chunk in 1usize..400,
    ) {
        let one_by_one = products.iter().fold(WideSum::default(), |sum, p| sum.add(*p));
        let in_chunks = products.chunks(chunk).fold(WideSum::default(), |sum, c| sum.add(c.iter().sum()));
        let merged = products.chunks(chunk).fold(WideSum::default(), |sum, c| {
            sum.merge(c.iter().fold(WideSum::default(), |sum, p| sum.add(*p)))
        });
        let exact = |sum: WideSum| (i64::from(sum.high) << 16) + i64::from(sum.low);
        let expected = products.iter().map(|p| i64::from(*p)).sum::<i64>();
        prop_assert_eq!([exact(one_by_one), exact(in_chunks), exact(merged)], [expected; 3]);
        let inverse = reciprocal((1 << 14) * products.len() as u32);
        prop_assert_eq!(context_wide(one_by_one, inverse), context_wide(in_chunks, inverse));
    }

    #[test]
    fn a_wide_context_is_the_quotient(total in 16_383u32..1 << 30, part in -1.0f64..1.0) {
        let sum = (part * 127.0 * f64::from(total)) as i64;
        let wide = WideSum { low: sum as u32 & 0xffff, high: (sum >> 16) as i32 };
        let real = sum as f64 / f64::from(total) * f64::from(1 << CONTEXT_BITS);
        let found = f64::from(context_wide(wide, reciprocal(total)));
        // The total has 15 bits, and so has its reciprocal.
        prop_assert!((found - real).abs() <= 1.0 + real.abs() * 2.5e-4, "{} for {}", found, real);
    }
}
