//! Matrix products over awkward shapes.

use std::sync::Arc;

use proptest::prelude::*;
use provena_engine::artifact::{Artifact, ArtifactBuilder, Dtype};
use provena_engine::gpu::{Error, Switch};
use provena_engine::kernels::{Method, Tuning, lower, self_test};
use provena_engine::plan::{Element, LinearOutput, Op, Plan, i8_stride};
use provena_engine::recording::GpuModel;
use provena_engine::values::Values;

use super::support::{build, check, gpu, hostile_scales, scales};

/// Compares one matrix product under all tunings; gives the number of elements that were compared.
pub(super) fn product(rows: usize, inputs: usize, outputs: usize, kind: u8, hostile: bool, seed: u64) -> usize {
    let (artifact, plan, input) = case(rows, inputs, outputs, kind, hostile, seed);
    let compared = check(artifact, &plan, &input);
    let Some(gpu) = gpu().filter(|gpu| rows <= 8 && gpu.caps().uses(Switch::Subgroup)) else { return compared };
    let (artifact, plan, input) = case(rows, inputs, outputs, kind, hostile, seed);
    let tuning = Tuning { few_rows: Some(Method::AcrossSubgroups), ..Tuning::HARDWARE };
    let model = GpuModel::load_tuned(gpu, Arc::new(artifact), tuning).unwrap();
    let more = self_test::compare(&model, &plan, &[input], &[]);
    compared + more.unwrap_or_else(|error| panic!("{tuning:?}: {error}"))
}

/// One matrix product with the output that half of `kind` chooses; for odd kinds x is split.
pub(super) fn case(
    rows: usize,
    inputs: usize,
    outputs: usize,
    kind: u8,
    hostile: bool,
    seed: u64,
) -> (Artifact, Plan, Values) {
    let (kind, split) = (kind / 2, kind % 2 == 1);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut scale = |count| if hostile { hostile_scales(&mut random, count) } else { scales(&mut random, count, 8) };
    let (first, second) = (scale(outputs), scale(outputs));
    let mut builder = ArtifactBuilder::new();
    let weight: Vec<i8> = (0..outputs * inputs).map(|_| random.i8(if hostile { -128.. } else { -127.. })).collect();
    builder.i8("weight", outputs, inputs, &weight);
    builder.i32("bias", &(0..outputs).map(|_| random.i32(-100_000..100_000)).collect::<Vec<_>>());
    builder.scales("scale", &first);
    builder.scales("out_scale", &second);
    builder.i32("table", &(0..256).map(|_| random.i32(-1000..1000)).collect::<Vec<_>>());
    let artifact = build(builder);
    let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
    let (scale, bias) = (vector("scale", Dtype::Scale), vector("bias", Dtype::I32));
    let mut plan = Plan::default();
    let x = plan.buffer("x", if split { Element::Split } else { Element::I8 }, rows, inputs);
    let element = if matches!(kind, 0 | 1 | 5) { Element::I32 } else { Element::I8 };
    let out = plan.buffer("out", element, rows, outputs);
    let output = match kind {
        0 => LinearOutput::Raw { out },
        1 => LinearOutput::Int16 { scale, out },
        2 => LinearOutput::Int8 { scale, relu: false, out },
        3 => LinearOutput::Int8 { scale, relu: true, out },
        5 => LinearOutput::Wide { scale, out },
        _ => {
            let out_scale = vector("out_scale", Dtype::Scale);
            LinearOutput::Table { in_scale: scale, table: vector("table", Dtype::I32), out_scale, out }
        }
    };
    let weight = artifact.find("weight", Dtype::I8, outputs, inputs).unwrap();
    plan.push(Op::Linear { x, weight, bias, output });
    plan.inputs = vec![x];
    let mut input = vec![0i8; plan.get(x).len()];
    for row in input.chunks_exact_mut(i8_stride(inputs)) {
        row[..inputs].iter_mut().for_each(|value| *value = random.i8(if hostile { -128.. } else { -127.. }));
    }
    (artifact, plan, Values::I8(input))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn linear_is_its_scalar_twin(
        rows in 1usize..40, inputs in 1usize..200, outputs in 1usize..200, kind in 0u8..12, seed: u64
    ) {
        product(rows, inputs, outputs, kind, false, seed);
    }

    #[test]
    fn linear_is_its_scalar_twin_on_hostile_data(
        rows in 1usize..12, inputs in 1usize..80, outputs in 1usize..80, kind in 0u8..12, seed: u64
    ) {
        product(rows, inputs, outputs, kind, true, seed);
    }
}

#[test]
fn linear_of_a_transformers_shapes() {
    product(32, 384, 1152, 4, false, 1);
    product(31, 384, 384, 2, false, 2);
    product(33, 384, 1536, 8, false, 3);
    product(7, 1536, 384, 2, false, 4);
    product(1, 64, 96, 6, false, 5);
    product(1, 96, 10, 0, false, 6);
    product(1, 576, 960, 3, false, 7);
    product(5, 1536, 576, 11, false, 8);
    product(130, 576, 960, 3, false, 9);
    product(2, 576, 3000, 11, false, 10);
}

/// A weight beyond the largest binding lies in several buffers, and nobody can tell.
#[test]
fn a_weight_in_parts_gives_the_same_answer() {
    let Some(gpu) = gpu() else { return };
    for kind in 0..12 {
        for rows in [1, 9] {
            let (artifact, plan, input) = case(rows, 70, 300, kind, false, kind.into());
            let artifact = Arc::new(artifact);
            for tuning in [Tuning::SOFTWARE, Tuning::HARDWARE, Tuning::of(gpu.caps())] {
                // 64 rows of 80 bytes fit, 128 do not: five parts, the last of 44 rows.
                let tuning = Tuning { max_binding: 6_000, ..tuning };
                assert_eq!(lower(&plan, &artifact, tuning).unwrap().dispatches.len(), 5);
                let model = GpuModel::load_tuned(gpu, artifact.clone(), tuning).unwrap();
                let compared = self_test::compare(&model, &plan, std::slice::from_ref(&input), &[]);
                assert!(compared.unwrap_or_else(|error| panic!("{tuning:?}: {error}")) >= rows * 300);
            }
        }
    }
}

#[test]
fn load_rejects_a_tensor_whose_rows_do_not_fit_a_binding() {
    let Some(gpu) = gpu() else { return };
    let (artifact, ..) = case(1, 70, 300, 0, false, 1);
    let tuning = Tuning { max_binding: 5_000, ..Tuning::SOFTWARE };
    let error = GpuModel::load_tuned(gpu, Arc::new(artifact), tuning).unwrap_err();
    assert!(
        matches!(&error, Error::BindingTooLarge { label, bytes: 24_000, limit: 5_000 } if label == "weight"),
        "{error}"
    );
}

#[test]
fn record_rejects_a_table_that_is_no_power_of_two() {
    let Some(gpu) = gpu() else { return };
    let mut builder = ArtifactBuilder::new();
    builder.i8("weight", 1, 1, &[1]);
    builder.i32("bias", &[0]);
    builder.scales("scale", &scales(&mut fastrand::Rng::with_seed(1), 1, 8));
    builder.i32("table", &[1, 2, 3]);
    let artifact = build(builder);
    let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
    let (scale, table) = (vector("scale", Dtype::Scale), vector("table", Dtype::I32));
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I8, 1, 1);
    let out = plan.buffer("out", Element::I8, 1, 1);
    let weight = artifact.find("weight", Dtype::I8, 1, 1).unwrap();
    let output = LinearOutput::Table { in_scale: scale, table, out_scale: scale, out };
    plan.push(Op::Linear { x, weight, bias: vector("bias", Dtype::I32), output });
    plan.inputs = vec![x];
    let error = GpuModel::load(gpu, Arc::new(artifact)).unwrap().prepare(&plan).unwrap_err();
    assert_eq!(error.to_string(), "operation 0 (linear): a table of 3 entries; a power of two is needed");
}
