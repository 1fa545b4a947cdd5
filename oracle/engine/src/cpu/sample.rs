//! Tokens drawn from logits, as [`provena_arith::sampling::sample`] defines it, but each weight is computed once.

use std::cmp::Reverse;

use provena_arith::{
    fixed::exp_index,
    sampling::{Params, TOP_P_ALL},
};

/// A token that may be drawn.
#[derive(Clone, Copy)]
struct Candidate {
    token: u32,
    logit: i32,
    weight: u32,
}

/// The token that is drawn. The scale is not zero, and the table holds 0 to 16,383 only, so that no sum overflows.
pub fn sample(logits: &[i32], table: &[i32], params: Params) -> u32 {
    let largest = logits.iter().copied().max().unwrap_or(0);
    let least = kth_largest(logits, params.top_k as usize);
    let entries = table.len() as u32;
    let mut candidates = Vec::new();
    for (token, &logit) in (0u32..).zip(logits) {
        let weight = table[exp_index(largest.wrapping_sub(logit), params.scale, entries) as usize] as u32;
        if weight > 0 && logit >= least {
            candidates.push(Candidate { token, logit, weight });
        }
    }
    if params.top_p < TOP_P_ALL {
        let least = least_of_share(&candidates, params.top_p);
        candidates.retain(|candidate| candidate.logit >= least);
    }
    let total: u32 = candidates.iter().map(|candidate| candidate.weight).sum();
    let drawn = ((u64::from(params.random) * u64::from(total)) >> 32) as u32;
    let mut sum = 0;
    let found = candidates.iter().find(|candidate| {
        sum += candidate.weight;
        sum > drawn
    });
    // Without any weight it is the first of the largest.
    let first = || logits.iter().position(|logit| *logit == largest).unwrap_or(0) as u32;
    found.map_or_else(first, |candidate| candidate.token)
}

/// The k-th largest logit; the least number there is for 0 and for more than there are.
fn kth_largest(logits: &[i32], k: usize) -> i32 {
    if k == 0 || k >= logits.len() {
        return i32::MIN;
    }
    let mut logits = logits.to_vec();
    *logits.select_nth_unstable_by_key(k - 1, |logit| Reverse(*logit)).1
}

/// The logit down to which the largest of the candidates have the share `p` of all weight.
fn least_of_share(candidates: &[Candidate], p: u32) -> i32 {
    let total: u64 = candidates.iter().map(|candidate| u64::from(candidate.weight)).sum();
    let need = ((total * u64::from(p)) >> 16).max(1);
    let mut sorted = candidates.to_vec();
    sorted.sort_unstable_by_key(|candidate| Reverse(candidate.logit));
    let mut sum = 0;
    let last = sorted.iter().find(|candidate| {
        sum += u64::from(candidate.weight);
        sum >= need
    });
    last.map_or(i32::MIN, |candidate| candidate.logit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use provena_arith::{
        fixed::WIDE_MAX,
        sampling::{sample as defined, temperature_scale, top_p},
    };

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn draws_are_those_of_the_definition(
            logits in prop_oneof![
                prop::collection::vec(-8i32..8, 1..60),
                prop::collection::vec(-1_000i32..1_000, 1..300),
                prop::collection::vec(-WIDE_MAX..=WIDE_MAX, 1..60),
            ],
            table in prop::collection::vec(0i32..=16_383, 1..40),
            falls: bool, top_k in 0u32..70, p in 0u32..=1_000, random: u32,
            unit in prop_oneof![0u64..1 << 24, 1u64 << 30..1 << 44], milli in 1u32..3_000,
        ) {
            // Tables fall in every good artifact, but need not in a hostile one.
            let mut table = table;
            if falls {
                table.sort_unstable_by_key(|weight| Reverse(*weight));
            }
            table.push(0);
            let params = Params { scale: temperature_scale(unit, milli), top_k, top_p: top_p(p), random };
            prop_assert_eq!(sample(&logits, &table, params), defined(&logits, &table, params));
        }
    }
}
