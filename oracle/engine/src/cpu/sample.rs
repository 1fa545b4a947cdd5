//! Tokens drawn from logits, as [`provena_arith::sampling::sample`] defines it, but each weight is computed once, and none of tokens
//! that cannot be drawn.

use std::cmp::Reverse;

use provena_arith::{
    fixed::exp_index,
    sampling::{Params, TOP_P_ALL},
};

/// Logits that are looked at together.
const TOGETHER: usize = 64;
/// Candidates that are sorted rather than divided further.
const FEW: usize = 32;

/// A token that may be drawn.
#[derive(Clone, Copy)]
struct Candidate {
    token: u32,
    logit: i32,
    weight: u32,
}

/// The token that is drawn. The scale is not zero, and the table holds 0 to 16,383 only, so that no sum overflows.
#[inline(always)]
pub(super) fn sample(logits: &[i32], table: &[i32], params: Params) -> u32 {
    let peaks: Vec<i32> = logits.chunks(TOGETHER).map(peak).collect();
    let largest = peaks.iter().copied().max().unwrap_or(0);
    let least = kth_largest(logits, &peaks, params.top_k as usize);
    let mut candidates = Vec::new();
    let last = table.len() as u32 - 1;
    let last_is_none = table.last() == Some(&0);
    let mut indices = [0u32; TOGETHER];
    for (first, (logits, peak)) in (0u32..).step_by(TOGETHER).zip(logits.chunks(TOGETHER).zip(&peaks)) {
        if *peak < least {
            continue;
        }
        for (index, logit) in indices.iter_mut().zip(logits) {
            *index = exp_index(largest.wrapping_sub(*logit), params.scale, last + 1);
        }
        let indices = &indices[..logits.len()];
        if last_is_none && indices.iter().fold(u32::MAX, |a, b| a.min(*b)) == last {
            continue;
        }
        for (token, (logit, index)) in (first..).zip(logits.iter().zip(indices)) {
            let weight = table[*index as usize] as u32;
            if weight > 0 && *logit >= least {
                candidates.push(Candidate { token, logit: *logit, weight });
            }
        }
    }
    draw(candidates, params).unwrap_or_else(|| {
        // Without any weight it is the first of the largest.
        logits.iter().position(|logit| *logit == largest).unwrap_or(0) as u32
    })
}

/// The token that is drawn from those that top-k has left, in the vocabulary's order.
fn draw(mut candidates: Vec<Candidate>, params: Params) -> Option<u32> {
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
    found.map(|candidate| candidate.token)
}

/// The largest of some logits.
#[inline(always)]
fn peak(logits: &[i32]) -> i32 {
    logits.iter().fold(i32::MIN, |largest, logit| largest.max(*logit))
}

/// The k-th largest logit; the least number there is for 0 and for more than there are. `peaks` are those of each
/// [`TOGETHER`] logits.
fn kth_largest(logits: &[i32], peaks: &[i32], k: usize) -> i32 {
    if k == 0 || k >= logits.len() {
        return i32::MIN;
    }
    let kth = |values: &mut [i32]| *values.select_nth_unstable_by_key(k - 1, |logit| Reverse(*logit)).1;
    if k > peaks.len() {
        return kth(&mut logits.to_vec());
    }
    // There are k logits, one for each of the largest peaks, that are at least this.
    let bound = kth(&mut peaks.to_vec());
    let high = logits.chunks(TOGETHER).zip(peaks).filter(|(_, peak)| **peak >= bound);
    let mut high: Vec<i32> = high.flat_map(|(logits, _)| logits).copied().filter(|logit| *logit >= bound).collect();
    kth(&mut high)
}

/// The logit down to which the largest of the candidates have the share `p` of all weight.
fn least_of_share(candidates: &[Candidate], p: u32) -> i32 {
    let weight = |candidates: &[Candidate]| candidates.iter().map(|candidate| u64::from(candidate.weight)).sum::<u64>();
    let mut need = ((weight(candidates) * u64::from(p)) >> 16).max(1);
    let mut all = candidates.to_vec();
    let mut rest = &mut all[..];
    // The half with the larger logits has enough weight, or the rest is looked for in the other half.
    while rest.len() > FEW {
        let middle = rest.len() / 2;
        rest.select_nth_unstable_by_key(middle, |candidate| Reverse(candidate.logit));
        let (larger, smaller) = rest.split_at_mut(middle);
        let has = weight(larger);
        rest = if has >= need { larger } else { smaller };
        need -= if has >= need { 0 } else { has };
    }
    rest.sort_unstable_by_key(|candidate| Reverse(candidate.logit));
    let mut sum = 0;
    let last = rest.iter().find(|candidate| {
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
                prop::collection::vec(-300i32..300, 1_000..5_000),
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
