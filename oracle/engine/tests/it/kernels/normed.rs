//! A normalisation in the kernel of the product that reads it, against the reference, which knows them as two operations.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use provena_engine::artifact::ArtifactBuilder;
use provena_engine::gpu::{Gpu, Options, Selection, Switch, caps};
use provena_engine::kernels::{Chain, Choices, End, Method, Shape, Tile, Tuning, lower, lower_with, self_test};
use provena_engine::plan::{Element, LinearOutput, Op, Plan};
use provena_engine::recording::GpuModel;

use super::fused::{Case, Data, gated, turned};
use super::support::{build, gpu};

/// The product alone, into a wide stream.
fn alone(data: Data, outputs: usize) -> Case {
    let mut random = fastrand::Rng::with_seed(data.seed);
    let mut builder = ArtifactBuilder::new();
    data.tensors(&mut builder, &mut random, outputs);
    let artifact = build(builder);
    let mut plan = Plan::default();
    let out = data.product(&mut plan, &artifact);
    let Some(Op::Linear { output, .. }) = plan.ops.last_mut() else { panic!("no product") };
    let LinearOutput::Int16 { scale, .. } = *output else { panic!("no stream") };
    *output = LinearOutput::Wide { scale, out };
    plan.outputs.push(out);
    let inputs = data.values(&mut random);
    Case { artifact: Arc::new(artifact), plan, inputs, state: vec![] }
}

/// A tuning with all that the device has for kernels of several operations.
pub(super) fn all(gpu: &Gpu, tuning: Tuning) -> Tuning {
    let Tuning { storage_buffers, workgroup_bytes, .. } = Tuning::of(gpu.caps());
    Tuning { fused_rows: usize::MAX, normed_rows: usize::MAX, storage_buffers, workgroup_bytes, ..tuning }
}

fn tunings(gpu: &Gpu) -> Vec<Tuning> {
    let mut tunings = vec![Tuning::SOFTWARE, Tuning::HARDWARE, Tuning::of(gpu.caps())];
    if gpu.caps().uses(Switch::Subgroup) {
        tunings.push(Tuning { few_rows: Some(Method::AcrossSubgroups), ..Tuning::HARDWARE });
    }
    tunings.into_iter().map(|tuning| all(gpu, tuning)).collect()
}

/// Compares the outputs and the state of a chain as one kernel, in every `step`-th pair of a tuning and a tile.
fn check(case: &Case, end: End, step: usize) {
    let Some(gpu) = gpu() else { return };
    let Op::Linear { x, weight, .. } = case.plan.ops[1] else { panic!("no product") };
    let Op::RmsNorm { residual, .. } = case.plan.ops[0] else { panic!("no normalisation") };
    let shape = Shape::of(case.plan.get(x), &case.artifact, weight).unwrap();
    let chain = Chain { shape, end, residual: residual.is_some() };
    let choice = |tile| Choices { chains: HashMap::from([(chain, tile)]), ..Choices::default() };
    let mut pairs = Vec::new();
    for tuning in tunings(gpu) {
        assert_eq!(lower_with(&case.plan, &case.artifact, tuning, &choice(None)).unwrap().dispatches.len(), 2);
        assert_eq!(case.dispatches(Tuning { normed_rows: 0, ..tuning }), 2);
        assert_eq!(case.dispatches(tuning), 1, "{tuning:?}");
        pairs.push((tuning, Choices::default()));
        let tiles = Tile::normed_candidates(gpu.caps(), &tuning, case.plan.get(x).rows, shape.planes);
        pairs.extend(tiles.into_iter().map(|tile| (tuning, choice(Some(tile)))));
    }
    for (tuning, choice) in pairs.iter().skip(chain.shape.inputs as usize % step).step_by(step) {
        let model = GpuModel::load_tuned(gpu, case.artifact.clone(), *tuning).unwrap().with_choices(choice.clone());
        let outcome = self_test::compare_outputs(&model, &case.plan, &case.inputs, &case.state);
        outcome.unwrap_or_else(|error| panic!("{tuning:?} {choice:?}: {error}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_norm_and_its_product_are_their_scalar_twins(
        rows in 1usize..3, inputs in 1usize..200, outputs in 1usize..150, flags: [bool; 4], seed: u64
    ) {
        let [split, hostile, residual, sum] = flags;
        let data = Data { rows, inputs, split, hostile, seed, norm: Some([residual, sum]) };
        check(&alone(data, outputs), End::Product, 7);
    }

    #[test]
    fn a_norm_its_product_and_its_gate_are_their_scalar_twins(
        rows in 1usize..3, inputs in 1usize..200, inner in 1usize..100, bits in 2u32..=15, flags: [bool; 5], seed: u64
    ) {
        let [split, hostile, residual, sum, split_out] = flags;
        let data = Data { rows, inputs, split, hostile, seed, norm: Some([residual, sum]) };
        check(&gated(data, inner, bits, split_out), End::Gate, 7);
    }

    #[test]
    fn a_norm_its_product_and_its_rotation_are_their_scalar_twins(
        rows in 1usize..3, inputs in 1usize..200, kv_heads in 1usize..4, group in 1usize..5, eighths in 1usize..=8,
        flags: [bool; 4], seed: u64
    ) {
        let [split, hostile, residual, sum] = flags;
        let data = Data { rows, inputs, split, hostile, seed, norm: Some([residual, sum]) };
        check(&turned(data, [kv_heads, group, eighths]), End::Rotation, 7);
    }
}

const ONE: Data = Data { rows: 1, inputs: 576, split: true, hostile: false, seed: 1, norm: Some([true, true]) };

#[test]
fn normed_kernels_of_a_decoders_shapes() {
    check(&gated(ONE, 1_536, 10, true), End::Gate, 3);
    check(&gated(Data { rows: 2, hostile: true, ..ONE }, 1_536, 10, false), End::Gate, 3);
    check(&turned(ONE, [3, 3, 8]), End::Rotation, 3);
    check(&turned(Data { rows: 2, hostile: true, split: false, ..ONE }, [3, 3, 8]), End::Rotation, 3);
    check(&alone(ONE, 3_000), End::Product, 3);
}

#[test]
fn what_somebody_else_reads_is_normalised_alone() {
    let Some(gpu) = gpu() else { return };
    let case = gated(ONE, 40, 10, true);
    let tuning = all(gpu, Tuning::HARDWARE);
    assert_eq!(case.dispatches(tuning), 1);
    let Op::Linear { x, weight, bias, .. } = case.plan.ops[1] else { panic!("no product") };
    let dispatches = |plan: &Plan, tuning| lower(plan, &case.artifact, tuning).unwrap().dispatches.len();
    let shown = Plan { outputs: vec![x], ..case.plan.clone() };
    assert_eq!(dispatches(&shown, tuning), 2);
    let mut twice = case.plan.clone();
    let out = twice.buffer("sums", Element::I32, 1, 80);
    twice.push(Op::Linear { x, weight, bias, output: LinearOutput::Raw { out } });
    assert_eq!(dispatches(&twice, tuning), 3);
    // A weight in parts has a kernel for each, and a gate of its own.
    assert_eq!(dispatches(&case.plan, Tuning { max_binding: 64 * 576, ..tuning }), 4);
}

#[test]
fn a_device_with_less_takes_more_kernels() {
    let Some(with) = gpu() else { return };
    // Without this switch nobody asks the device for more than every device has.
    let options = Options { disabled: [Switch::Fusion].into(), ..Options::default() };
    let less = Gpu::open_with(&Selection::Best, &options).unwrap();
    let least = Tuning::of(less.caps());
    assert_eq!((least.fused_rows, least.normed_rows), (0, 0));
    let given = [least.storage_buffers, least.workgroup_bytes];
    assert_eq!(given, [caps::MAX_STORAGE_BUFFERS, caps::MAX_WORKGROUP_BYTES]);
    let wide = Data { inputs: 8_000, ..ONE };
    let plain = Data { norm: Some([false, false]), ..ONE };
    for (case, enough, kernels) in [
        (gated(ONE, 40, 10, true), 1, 2),
        (turned(ONE, [3, 3, 8]), 1, 2),
        // These need no more buffers, and one of them more shared memory.
        (gated(plain, 40, 10, true), 1, 1),
        (alone(ONE, 90), 1, 1),
        (alone(wide, 90), 1, 2),
    ] {
        assert_eq!(case.dispatches(all(with, Tuning::HARDWARE)), enough);
        let tuning = Tuning { fused_rows: 2, normed_rows: 2, ..all(&less, Tuning::HARDWARE) };
        assert_eq!(case.dispatches(tuning), kernels);
        // The device itself would refuse a kernel that binds more.
        let model = GpuModel::load_tuned(&less, case.artifact.clone(), tuning).unwrap();
        self_test::compare_outputs(&model, &case.plan, &case.inputs, &case.state).unwrap();
    }
}

#[test]
fn whether_it_pays_is_measured_and_remembered() {
    let Some(gpu) = gpu() else { return };
    let small = Data { inputs: 20, ..ONE };
    for (case, end, known) in [
        (gated(ONE, 400, 10, true), End::Gate, true),
        (turned(Data { rows: 2, ..ONE }, [3, 3, 8]), End::Rotation, true),
        (alone(ONE, 1_000), End::Product, true),
        // What is small takes what is usual.
        (gated(small, 40, 10, true), End::Gate, false),
    ] {
        let (chain, len) = Chain::at(&case.plan, &case.artifact, 0).unwrap();
        assert_eq!((chain.end, chain.residual, len), (end, true, case.plan.ops.len()));
        assert!(Chain::at(&case.plan, &case.artifact, 1).is_none());
        let model = GpuModel::load(gpu, case.artifact.clone()).unwrap();
        self_test::compare_outputs(&model, &case.plan, &case.inputs, &case.state).unwrap();
        let chosen = gpu.autotune().chosen();
        let candidates = Tile::normed_candidates(gpu.caps(), &Tuning::of(gpu.caps()), case.plan.buffers[0].rows, 2);
        let found = chosen.quickest.chains.get(&chain);
        assert!(found.is_some() == known || known && chosen.left.is_zero(), "{chosen:?}");
        assert!(found.copied().flatten().is_none_or(|tile| candidates.contains(&tile)), "{chosen:?}");
    }
}
