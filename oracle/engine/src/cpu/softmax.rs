//! Scores become weights.

use provena_arith::fixed::{Scale, exp_index};

/// Replaces the scores of one query by their weights and gives the total.
#[inline(always)]
pub(super) fn weigh(scores: &mut [i32], scale: Scale, table: &[i32]) -> u32 {
    let Some(first) = scores.first() else { return 0 };
    let largest = scores.iter().fold(*first, |largest, score| largest.max(*score));
    for score in &mut *scores {
        *score = exp_index(largest.wrapping_sub(*score), scale, table.len() as u32) as i32;
    }
    for score in &mut *scores {
        *score = table[*score as usize];
    }
    scores.iter().fold(0u32, |total, weight| total.wrapping_add(*weight as u32))
}
