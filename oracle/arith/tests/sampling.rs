//! Sampling against a twin that sorts, and its known answers.

use proptest::prelude::*;
use provena_arith::{
    fixed::{Scale, WIDE_MAX, exp_index},
    sampling::{Params, TOP_P_ALL, UNIT_BITS, known, random_word, sample, temperature_scale, top_p},
};

#[test]
fn known_answers_hold() {
    let wrong: Vec<_> = known::answers().filter(|k| k.found != k.expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The same definition by sorting and with 64-bit sums.
fn twin(logits: &[i32], table: &[i32], params: Params) -> u32 {
    let mut sorted: Vec<(i32, u32)> = logits.iter().copied().zip(0u32..).collect();
    sorted.sort_by_key(|(logit, i)| (std::cmp::Reverse(*logit), *i));
    if params.scale.0 == 0 {
        return sorted[0].1;
    }
    let weight = |logit: i32| table[exp_index(sorted[0].0 - logit, params.scale, table.len() as u32) as usize] as u64;
    // How many of the sorted stay, when the first `count` must: those that tie with the last of them, too.
    let with_ties = |count: usize| {
        let last = sorted[count - 1].0;
        sorted.iter().filter(|(logit, _)| *logit >= last).count()
    };
    let mut kept = sorted.len();
    if params.top_k != 0 && (params.top_k as usize) < kept {
        kept = with_ties(params.top_k as usize);
    }
    let total: u64 = sorted[..kept].iter().map(|(logit, _)| weight(*logit)).sum();
    if params.top_p < TOP_P_ALL {
        let need = ((total * u64::from(params.top_p)) >> 16).max(1);
        let mut sum = 0;
        let enough = sorted[..kept].iter().position(|(logit, _)| {
            sum += weight(*logit);
            sum >= need
        });
        kept = with_ties(enough.map_or(kept, |at| at + 1)).min(kept);
    }
    let mut staying = sorted[..kept].to_vec();
    staying.sort_by_key(|(_, i)| *i);
    let total: u64 = staying.iter().map(|(logit, _)| weight(*logit)).sum();
    let drawn = (u64::from(params.random) * total) >> 32;
    let mut sum = 0;
    let found = staying.iter().find(|(logit, _)| {
        sum += weight(*logit);
        sum > drawn
    });
    found.unwrap_or(&sorted[0]).1
}

/// A table that falls from at most 16,383 to 0.
fn table() -> impl Strategy<Value = Vec<i32>> {
    prop::collection::vec(0i32..=16_383, 1..40).prop_map(|mut weights| {
        weights.sort_by_key(|w| std::cmp::Reverse(*w));
        weights.push(0);
        weights
    })
}

/// Logits with many ties, or of the whole range.
fn logits() -> impl Strategy<Value = Vec<i32>> {
    prop_oneof![
        prop::collection::vec(-8i32..8, 1..60),
        prop::collection::vec(-1_000i32..1_000, 1..60),
        prop::collection::vec(-WIDE_MAX..=WIDE_MAX, 1..60),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn sampling_is_what_sorting_gives(
        logits in logits(), table in table(), top_k in 0u32..70, p in 0u32..=1_000, random: u32,
        unit in prop_oneof![0u64..1 << 24, 1u64 << 30..1 << 44, any::<u64>()], milli in 0u32..3_000,
    ) {
        let params = Params { scale: temperature_scale(unit, milli), top_k, top_p: top_p(p), random };
        prop_assert_eq!(sample(&logits, &table, params), twin(&logits, &table, params));
    }

    #[test]
    fn a_scale_of_a_temperature_is_the_factor_to_fourteen_bits(unit in 1u64 << 12..1 << 43, milli in 1u32..=100_000) {
        let scale = temperature_scale(unit, milli);
        let exact = ((u128::from(unit) * 1_000) << 20) / u128::from(milli);
        let found = (scale.multiplier() as u128) << (UNIT_BITS + 20 + scale.left()) >> (16 + scale.right());
        let largest = 7 << (UNIT_BITS + 20);
        prop_assume!(exact < largest && exact >= 1 << (UNIT_BITS + 20 - 33));
        prop_assert!(found.abs_diff(exact) <= exact / 16_384 + 1, "{found} for {exact}");
    }

    #[test]
    fn no_two_logits_are_too_far_apart_for_the_scale(unit: u64, milli in 1u32.., below in 0i32..=2 * WIDE_MAX) {
        let scale = temperature_scale(unit, milli);
        prop_assert_ne!(scale, Scale(0));
        let exact = ((i64::from(below) * i64::from(scale.multiplier())) << scale.left()) >> 16;
        let half = (1i64 << scale.right()) >> 1;
        prop_assert_eq!(i64::from(scale.apply(below)), (exact + half) >> scale.right());
    }

    #[test]
    fn a_colder_temperature_never_spreads(unit in 1u64 << 20..1 << 40, milli in 1u32..50_000, below in 0i32..1 << 26) {
        let (cold, warm) = (temperature_scale(unit, milli), temperature_scale(unit, 2 * milli));
        prop_assert!(cold.apply(below) >= warm.apply(below));
    }

    #[test]
    fn nothing_panics_for_any_data(
        logits in prop::collection::vec(any::<i32>(), 0..20), table in prop::collection::vec(any::<i32>(), 0..9),
        words: [u32; 4],
    ) {
        let token = sample(&logits, &table, Params::from_words(words));
        prop_assert!((token as usize) < logits.len().max(1));
        prop_assert_eq!(Params::from_words(words).words(), words);
    }
}

#[test]
fn draws_follow_their_weights() {
    // Weights 8, 4, 2, 1 of 15, of which a million draws show each share to a thousandth.
    let (table, logits) = ([8_000, 4_000, 2_000, 1_000, 0], [0, -1, -2, -3, -4]);
    let mut counts = [0u32; 5];
    for step in 0..150_000 {
        let scale = Scale::new(16_384, 2, 4);
        let params = Params { scale, top_k: 0, top_p: TOP_P_ALL, random: random_word(7, step) };
        counts[sample(&logits, &table, params) as usize] += 1;
    }
    for (count, expected) in counts.iter().zip([80_000u32, 40_000, 20_000, 10_000, 0]) {
        assert!(count.abs_diff(expected) <= 600, "{counts:?}");
    }
}
