//! Attention over awkward numbers of tokens, heads and widths.

use proptest::prelude::*;
use provena_arith::fixed::EXP_ONE;
use provena_engine::artifact::{ArtifactBuilder, Dtype};
use provena_engine::plan::{Element, Op, Plan, i8_stride};
use provena_engine::values::Values;

use super::support::{build, check, hostile_scales, scales};

fn attention(tokens: usize, heads: usize, head: usize, entries: usize, hostile: bool, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let width = heads * head;
    let mut builder = ArtifactBuilder::new();
    let (score, context, table) = if hostile {
        let table: Vec<i32> = (0..entries).map(|_| random.i32(..)).collect();
        (hostile_scales(&mut random, heads), hostile_scales(&mut random, width), table)
    } else {
        let falling = (0..entries).map(|at| EXP_ONE * (entries - 1 - at) as i32 / entries as i32).collect();
        (scales(&mut random, heads, 6), scales(&mut random, width, 7), falling)
    };
    builder.scales("score", &score);
    builder.scales("context", &context);
    builder.i32("exp", &table);
    let artifact = build(builder);
    let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
    let mut plan = Plan::default();
    let qkv = plan.buffer("qkv", Element::I8, tokens, 3 * width);
    let out = plan.buffer("out", Element::I8, tokens, width);
    plan.push(Op::Attention {
        qkv,
        heads,
        score_scale: vector("score", Dtype::Scale),
        exp_table: vector("exp", Dtype::I32),
        context_scale: vector("context", Dtype::Scale),
        out,
    });
    plan.inputs = vec![qkv];
    let mut input = vec![0i8; tokens * i8_stride(3 * width)];
    for row in input.chunks_exact_mut(i8_stride(3 * width)) {
        row[..3 * width].iter_mut().for_each(|value| *value = random.i8(-127..));
    }
    check(artifact, &plan, &Values::I8(input));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn attention_is_its_scalar_twin(
        tokens in 1usize..50, heads in 1usize..7, quarter in 1usize..12, entries in 1usize..600, hostile: bool, seed: u64
    ) {
        attention(tokens, heads, 4 * quarter, entries, hostile, seed);
    }
}

#[test]
fn attention_of_a_transformers_shapes() {
    attention(32, 12, 32, 1024, false, 1);
    attention(256, 12, 32, 1024, false, 2);
    attention(1, 12, 32, 1024, false, 3);
}
