//! A decoder's operations that work row by row: lookups, root-mean-square norms, rotations, gates and gathers.

use std::sync::Arc;

use proptest::prelude::*;
use provena_arith::fixed::{Scale, WIDE_MAX};
use provena_engine::artifact::{ArtifactBuilder, Dtype};
use provena_engine::kernels::{Tuning, lower, self_test};
use provena_engine::plan::{Cache, Element, Op, Plan, ROW_FIELDS};
use provena_engine::recording::GpuModel;
use provena_engine::values::Values;

use super::support::{build, byte_rows, check, check_with, gpu, hostile_scales, scales};

/// Values of a wide stream: rows of all magnitudes, some at the edges, and some rows of nothing.
fn wide(random: &mut fastrand::Rng, rows: usize, width: usize) -> Vec<i32> {
    let mut values = Vec::with_capacity(rows * width);
    for _ in 0..rows {
        let bound = 1i32 << random.u32(0..27);
        let edges = random.bool();
        for _ in 0..width {
            values.push(match random.u8(..) {
                0 if edges => WIDE_MAX,
                1 if edges => -WIDE_MAX,
                _ => random.i32(1 - bound..bound),
            });
        }
    }
    values
}

fn pick_scales(random: &mut fastrand::Rng, hostile: bool, count: usize, shift: u32) -> Vec<Scale> {
    if hostile { hostile_scales(random, count) } else { scales(random, count, shift) }
}

/// The element that a flag stands for.
fn bytes(split: bool) -> Element {
    if split { Element::Split } else { Element::I8 }
}

/// One variant of the normalisation, with any `i32` as input where `hostile`; gives the number of elements compared.
pub(super) fn rms_norm(rows: usize, width: usize, [residual, sum, split, hostile]: [bool; 4], seed: u64) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut builder = ArtifactBuilder::new();
    builder.scales("gain", &pick_scales(&mut random, hostile, width, if split { 3 } else { 10 }));
    let epsilon = [random.i32(..), random.i32(..if hostile { i32::MAX } else { 1 << 16 })];
    builder.i32("epsilon", &epsilon.map(|word| if random.bool() { word } else { 0 }));
    let artifact = build(builder);
    let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
    let (gain, epsilon) = (vector("gain", Dtype::Scale), vector("epsilon", Dtype::I32));
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, rows, width);
    let added = plan.buffer("residual", Element::I32, rows, width);
    let kept = plan.buffer("sum", Element::I32, rows, width);
    let out = plan.buffer("out", bytes(split), rows, width);
    let (sum, residual) = (sum.then_some(kept), residual.then_some(added));
    plan.push(Op::RmsNorm { x, residual, gain, epsilon, sum, out });
    plan.inputs = vec![x, added];
    let mut values = || {
        let any = |random: &mut fastrand::Rng| (0..rows * width).map(|_| random.i32(..) >> random.u32(0..32)).collect();
        Values::I32(if hostile { any(&mut random) } else { wide(&mut random, rows, width) })
    };
    let inputs = [values(), values()];
    check_with(artifact, &plan, &inputs, &[])
}

/// A gated activation; gives the number of elements compared.
pub(super) fn gate(rows: usize, inner: usize, bits: u32, split: bool, hostile: bool, seed: u64) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut builder = ArtifactBuilder::new();
    builder.scales("scale", &pick_scales(&mut random, hostile, inner, if split { 14 } else { 22 }));
    builder.i32("table", &(0..=1 << bits).map(|_| random.i32(-32_768..=32_767)).collect::<Vec<_>>());
    let artifact = build(builder);
    let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, rows, 2 * inner);
    let out = plan.buffer("out", bytes(split), rows, inner);
    let (table, out_scale) = (vector("table", Dtype::I32), vector("scale", Dtype::Scale));
    plan.push(Op::Gate { x, table, out_scale, out });
    plan.inputs = vec![x];
    let bound = if hostile { i32::MAX } else { 32_767 };
    check(artifact, &plan, &Values::I32((0..rows * 2 * inner).map(|_| random.i32(-bound..=bound)).collect()))
}

/// Rotates and stores rows that have any slots and positions; gives the number of elements compared.
pub(super) fn rotate_store(rows: usize, [kv_heads, group, eighths]: [usize; 3], hostile: bool, seed: u64) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let (depth, slots, positions) = (8 * eighths, rows + random.usize(0..20), random.usize(1..60));
    let heads = kv_heads * group;
    let mut builder = ArtifactBuilder::new();
    builder.i16("table", positions, depth, &(0..positions * depth).map(|_| random.i16(..)).collect::<Vec<_>>());
    let artifact = build(builder);
    let mut plan = Plan::default();
    let columns = (heads + 2 * kv_heads) * depth;
    let qkv = plan.buffer("qkv", Element::I32, rows, columns);
    let fields = plan.buffer("rows", Element::U32, rows, ROW_FIELDS);
    let queries = plan.buffer("queries", Element::Split, rows, heads * depth);
    let [keys, values] = ["keys", "values"].map(|name| plan.buffer(name, Element::I8, slots, kv_heads * depth));
    let cache = Cache { keys, values, kv_heads, depth, page: 16 };
    let table = artifact.find("table", Dtype::I16, positions, depth).unwrap();
    plan.push(Op::RotateStore { qkv, rows: fields, table, cache, queries });
    plan.inputs = vec![qkv, fields];
    plan.state = vec![keys, values];
    let mut free: Vec<u32> = (0..slots as u32).collect();
    random.shuffle(&mut free);
    let at = |slot: &u32| [random.u32(..), random.u32(..positions as u32), *slot, random.u32(..)];
    let fields = free[..rows].iter().flat_map(at).collect();
    let bound = if hostile { i32::MAX } else { 32_767 };
    let qkv = (0..rows * columns).map(|_| random.i32(-bound..=bound)).collect();
    let state = [(); 2].map(|()| Values::I8(byte_rows(&mut random, slots, kv_heads * depth)));
    check_with(artifact, &plan, &[Values::I32(qkv), Values::U32(fields)], &state)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rms_norm_is_its_scalar_twin(rows in 1usize..40, width in 1usize..400, variant: [bool; 4], seed: u64) {
        rms_norm(rows, width, variant, seed);
    }

    #[test]
    fn gate_is_its_scalar_twin(
        rows in 1usize..40, inner in 1usize..200, bits in 2u32..=15, split: bool, hostile: bool, seed: u64
    ) {
        gate(rows, inner, bits, split, hostile, seed);
    }

    #[test]
    fn rotate_store_is_its_scalar_twin(
        rows in 1usize..40, kv_heads in 1usize..4, group in 1usize..5, eighths in 1usize..=16, hostile: bool, seed: u64
    ) {
        rotate_store(rows, [kv_heads, group, eighths], hostile, seed);
    }

    #[test]
    fn lookup_is_its_scalar_twin(
        rows in 1usize..40, width in 1usize..200, vocabulary in 1usize..90, hostile: bool, seed: u64
    ) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut builder = ArtifactBuilder::new();
        let words: Vec<i8> = (0..vocabulary * width).map(|_| random.i8(..)).collect();
        builder.i8("words", vocabulary, width, &words);
        builder.scales("scale", &pick_scales(&mut random, hostile, vocabulary, 2));
        let artifact = build(builder);
        let mut plan = Plan::default();
        let fields = plan.buffer("rows", Element::U32, rows, ROW_FIELDS);
        let out = plan.buffer("out", Element::I32, rows, width);
        let weight = artifact.find("words", Dtype::I8, vocabulary, width).unwrap();
        let scale = artifact.find_table("scale", Dtype::Scale).unwrap().0;
        plan.push(Op::Lookup { rows: fields, weight, scale, out });
        plan.inputs = vec![fields];
        let fields = (0..rows).flat_map(|_| [random.u32(..vocabulary as u32), random.u32(..), random.u32(..), 0]);
        check(artifact, &plan, &Values::U32(fields.collect()));
    }

    #[test]
    fn gather_is_its_scalar_twin(rows in 1usize..40, width in 1usize..300, picked in 1usize..50, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut plan = Plan::default();
        let x = plan.buffer("x", Element::I32, rows, width);
        let picks = plan.buffer("picks", Element::U32, picked, 1);
        let out = plan.buffer("out", Element::I32, picked, width);
        plan.push(Op::Gather { x, picks, out });
        plan.inputs = vec![x, picks];
        let inputs = [
            Values::I32(wide(&mut random, rows, width)),
            Values::U32((0..picked).map(|_| random.u32(..rows as u32)).collect()),
        ];
        check_with(build(ArtifactBuilder::new()), &plan, &inputs, &[]);
    }
}

#[test]
fn rms_norm_of_nothing_and_of_a_decoders_widths() {
    for (rows, width) in [(1, 576), (1, 2048), (3, 1), (2, 4097)] {
        rms_norm(rows, width, [true, true, true, false], 1);
        rms_norm(rows, width, [false, false, false, false], 2);
    }
    for value in [0, 1, -1, WIDE_MAX, -WIDE_MAX, i32::MIN, i32::MAX] {
        let mut builder = ArtifactBuilder::new();
        builder.scales("gain", &[Scale::new(20_000, 4, 0); 7]);
        builder.i32("epsilon", &[0, 0]);
        let artifact = build(builder);
        let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
        let (gain, epsilon) = (vector("gain", Dtype::Scale), vector("epsilon", Dtype::I32));
        let mut plan = Plan::default();
        let x = plan.buffer("x", Element::I32, 1, 7);
        let out = plan.buffer("out", Element::Split, 1, 7);
        plan.push(Op::RmsNorm { x, residual: None, gain, epsilon, sum: None, out });
        plan.inputs = vec![x];
        check(artifact, &plan, &Values::I32(vec![value; 7]));
    }
}

#[test]
fn lookup_finds_words_in_every_part_of_their_tensor() {
    let Some(gpu) = gpu() else { return };
    let (vocabulary, width) = (301, 39);
    let mut random = fastrand::Rng::with_seed(1);
    let mut builder = ArtifactBuilder::new();
    let words: Vec<i8> = (0..vocabulary * width).map(|_| random.i8(-127..)).collect();
    builder.i8("words", vocabulary, width, &words);
    builder.scales("scale", &scales(&mut random, vocabulary, 2));
    let artifact = Arc::new(build(builder));
    let mut plan = Plan::default();
    let fields = plan.buffer("rows", Element::U32, vocabulary, ROW_FIELDS);
    let out = plan.buffer("out", Element::I32, vocabulary, width);
    let weight = artifact.find("words", Dtype::I8, vocabulary, width).unwrap();
    let scale = artifact.find_table("scale", Dtype::Scale).unwrap().0;
    plan.push(Op::Lookup { rows: fields, weight, scale, out });
    plan.inputs = vec![fields];
    // Rows of 48 bytes: 64 of them fit, so that there are five parts.
    let tuning = Tuning { max_binding: 4_096, ..Tuning::SOFTWARE };
    assert_eq!(lower(&plan, &artifact, tuning).unwrap().dispatches.len(), 5);
    let model = GpuModel::load_tuned(gpu, artifact, tuning).unwrap();
    let every = Values::U32((0..vocabulary as u32).flat_map(|token| [token, 0, 0, 0]).collect());
    assert_eq!(self_test::compare(&model, &plan, &[every], &[]).unwrap(), vocabulary * width);
}

#[test]
fn gate_reaches_both_ends_of_its_table() {
    let mut builder = ArtifactBuilder::new();
    builder.scales("scale", &[Scale::new(0x7fff, 0, 0); 4]);
    builder.i32("table", &[-32_768, 5, -7, 11, 32_767]);
    let artifact = build(builder);
    let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, 1, 8);
    let out = plan.buffer("out", Element::Split, 1, 4);
    plan.push(Op::Gate { x, table: vector("table", Dtype::I32), out_scale: vector("scale", Dtype::Scale), out });
    plan.inputs = vec![x];
    check(artifact, &plan, &Values::I32(vec![i32::MIN, -32_767, 32_767, i32::MAX, 3, 3, 3, 3]));
}
