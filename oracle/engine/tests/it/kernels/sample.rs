//! Tokens drawn from logits: ties, cut-offs, vocabularies of all sizes.

use proptest::prelude::*;
use provena_arith::fixed::{EXP_ONE, Scale, WIDE_MAX};
use provena_arith::sampling::{TOP_P_ALL, temperature_scale};
use provena_engine::artifact::{ArtifactBuilder, Dtype};
use provena_engine::plan::{Element, Op, Plan, SAMPLE_FIELDS};
use provena_engine::values::Values;

use super::support::{build, check_with};

/// Draws from rows of logits with a table of weights; returns the number of tokens compared.
fn draw(logits: Vec<i32>, params: Vec<u32>, table: &[i32]) -> usize {
    let rows = params.len() / SAMPLE_FIELDS;
    let mut builder = ArtifactBuilder::new();
    builder.i32("exp", table);
    let artifact = build(builder);
    let exp_table = artifact.find_table("exp", Dtype::I32).unwrap().0;
    let mut plan = Plan::default();
    let x = plan.buffer("logits", Element::I32, rows, logits.len() / rows);
    let chances = plan.buffer("params", Element::U32, rows, SAMPLE_FIELDS);
    let out = plan.buffer("out", Element::U32, rows, 1);
    plan.push(Op::Sample { logits: x, params: chances, exp_table, out });
    plan.inputs = vec![x, chances];
    check_with(artifact, &plan, &[Values::I32(logits), Values::U32(params)], &[])
}

/// A table that falls from 16,383 to 0 as e^-x does, over about eleven units.
fn falling(entries: usize) -> Vec<i32> {
    let weight = |at: usize| (f64::from(EXP_ONE) * (-11.0 * at as f64 / entries as f64).exp()) as i32;
    (0..entries).map(|at| if at + 1 == entries { 0 } else { weight(at) }).collect()
}

/// Logits of a row: of any spread, with many ties where it is small.
fn row(random: &mut fastrand::Rng, width: usize) -> Vec<i32> {
    let bound = 1 << random.u32(0..26);
    let level = random.i32(-bound..=bound);
    (0..width).map(|_| (level + random.i32(-bound..=bound)).clamp(-WIDE_MAX, WIDE_MAX)).collect()
}

/// Parameters of a row: each of the cut-offs may be off, or at an edge.
fn chance(random: &mut fastrand::Rng, width: usize, spread: i32) -> [u32; SAMPLE_FIELDS] {
    // A temperature at which the spread of the logits is some part of the table.
    let unit = ((random.u64(100..2_000) << 40) / spread.max(1) as u64).max(1);
    let scale = if random.u8(..) < 30 { Scale(0) } else { temperature_scale(unit, random.u32(1..3_000)) };
    let top_k = [0, 1, width as u32, u32::MAX, random.u32(1..=width as u32)][random.usize(..5)];
    let top_p = [0, 1, TOP_P_ALL, u32::MAX, random.u32(..TOP_P_ALL)][random.usize(..5)];
    let word = [0, u32::MAX, random.u32(..)][random.usize(..3)];
    [scale.0, top_k, top_p, word]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sample_is_its_scalar_twin(rows in 1usize..20, width in 1usize..700, entries in 1usize..900, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut logits, mut params) = (vec![], vec![]);
        for _ in 0..rows {
            let row = row(&mut random, width);
            let spread = row.iter().max().unwrap() - row.iter().min().unwrap();
            params.extend(chance(&mut random, width, spread));
            logits.extend(row);
        }
        draw(logits, params, &falling(entries));
    }

    #[test]
    fn sample_is_its_scalar_twin_on_hostile_data(rows in 1usize..8, width in 1usize..200, entries in 1usize..50, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let logits = (0..rows * width).map(|_| random.i32(..) >> random.u32(0..32)).collect();
        let params = (0..rows * SAMPLE_FIELDS).map(|_| random.u32(..) >> random.u32(0..32)).collect();
        let bound = [0, EXP_ONE][random.usize(..2)];
        let table: Vec<i32> = (0..entries).map(|_| random.i32(0..=bound)).collect();
        draw(logits, params, &table);
    }
}

#[test]
fn sample_of_the_largest_vocabularies() {
    let mut random = fastrand::Rng::with_seed(1);
    for width in [49_152, 128_256, 1 << 18] {
        let row = row(&mut random, width);
        let spread = row.iter().max().unwrap() - row.iter().min().unwrap();
        let unit = (1_000u64 << 40) / spread as u64;
        let params = [temperature_scale(unit, 1_000).0, 50_000, 60_000, random.u32(..)];
        draw(row, params.to_vec(), &falling(1 << 12));
    }
    // Every weight is the largest there can be: their sum is just below 2^32.
    let equal = vec![7; 1 << 18];
    draw(
        [equal.clone(), equal].concat(),
        [[1 << 16 | 1, 0, TOP_P_ALL, u32::MAX], [1 << 16 | 1, 9, 3, 1 << 31]].concat(),
        &[EXP_ONE],
    );
}

#[test]
fn ties_are_kept_or_dropped_together_and_the_lowest_index_wins() {
    let logits = [5, 9, 9, 1, 9, 5];
    let scale = Scale::new(0x4000, 0, 4).0;
    let mut params = vec![0, 0, TOP_P_ALL, 7];
    let mut rows = logits.to_vec();
    for top_k in 0..7 {
        for top_p in [0, 1, 30_000, 60_000, TOP_P_ALL] {
            for random in [0, 1 << 30, 1 << 31, u32::MAX] {
                params.extend([scale, top_k, top_p, random]);
                rows.extend(logits);
            }
        }
    }
    draw(rows, params, &falling(64));
}
