//! Matrix products over awkward shapes.

use proptest::prelude::*;
use provena_engine::artifact::{ArtifactBuilder, Dtype};
use provena_engine::plan::{Element, LinearOutput, Op, Plan, i8_stride};
use provena_engine::values::Values;

use super::support::{build, check, hostile_scales, scales};

/// One matrix product with the output that `kind` chooses; odd kinds of ten have a split x.
fn product(rows: usize, inputs: usize, outputs: usize, kind: u8, hostile: bool, seed: u64) {
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
    check(artifact, &plan, &Values::I8(input));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

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
