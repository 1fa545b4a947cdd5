//! Operations that work row by row: embeddings, norms, sums, units and the largest.

use proptest::prelude::*;
use provena_arith::fixed::Scale;
use provena_engine::artifact::{ArtifactBuilder, Dtype};
use provena_engine::plan::{Element, Op, Plan, Quantise};
use provena_engine::values::Values;

use super::support::{build, check, hostile_scales, scales};

/// Values of a stream: mostly moderate, some at the edges, and some rows constant.
fn stream(random: &mut fastrand::Rng, rows: usize, width: usize) -> Vec<i32> {
    let mut values = Vec::with_capacity(rows * width);
    for _ in 0..rows {
        let (bound, constant) = (1 << random.u32(1..16), random.u8(..) < 32);
        let level = random.i32(-bound..bound);
        for _ in 0..width {
            let value = match random.u8(..) {
                0 => 32_767,
                1 => -32_767,
                _ => random.i32(-bound..bound),
            };
            values.push(if constant { level } else { value.clamp(-32_767, 32_767) });
        }
    }
    values
}

fn norm(rows: usize, width: usize, residual: bool, quantised: bool, hostile: bool, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut pick = |shift| -> Vec<Scale> {
        if hostile { hostile_scales(&mut random, width) } else { scales(&mut random, width, shift) }
    };
    let (gain, quantise) = (pick(5), pick(8));
    let mut builder = ArtifactBuilder::new();
    builder.scales("gain", &gain);
    builder.scales("quantise", &quantise);
    builder.i32("bias", &(0..width).map(|_| random.i32(-2000..2000)).collect::<Vec<_>>());
    let artifact = build(builder);
    let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
    let (gain, bias) = (vector("gain", Dtype::Scale), vector("bias", Dtype::I32));
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, rows, width);
    let out = plan.buffer("out", Element::I32, rows, width);
    let bytes = plan.buffer("bytes", Element::I8, rows, width);
    let quantised = quantised.then(|| Quantise { scale: vector("quantise", Dtype::Scale), out: bytes });
    plan.push(Op::Norm { x, residual: residual.then_some(x), gain, bias, out, quantised });
    plan.inputs = vec![x];
    check(artifact, &plan, &Values::I32(stream(&mut random, rows, width)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn norm_is_its_scalar_twin(
        rows in 1usize..20, width in 1usize..400, residual: bool, quantised: bool, hostile: bool, seed: u64
    ) {
        norm(rows, width, residual, quantised, hostile, seed);
    }

    #[test]
    fn embed_is_its_scalar_twin(tokens in 1usize..40, pairs in 1usize..100, words in 1usize..50, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let width = 2 * pairs;
        let mut table = |rows: usize| -> Vec<i16> { (0..rows * width).map(|_| random.i16(..)).collect() };
        let mut builder = ArtifactBuilder::new();
        builder.i16("words", words, width, &table(words));
        builder.i16("positions", 40, width, &table(40));
        let artifact = build(builder);
        let mut plan = Plan::default();
        let ids = plan.buffer("ids", Element::U32, tokens, 1);
        let out = plan.buffer("out", Element::I32, tokens, width);
        let words_id = artifact.find("words", Dtype::I16, words, width).unwrap();
        let positions = artifact.find("positions", Dtype::I16, 40, width).unwrap();
        plan.push(Op::Embed { ids, words: words_id, positions, out });
        plan.inputs = vec![ids];
        check(artifact, &plan, &Values::U32((0..tokens).map(|_| random.u32(..words as u32)).collect()));
    }

    #[test]
    fn sum_rows_is_its_scalar_twin(rows in 1usize..300, width in 1usize..400, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut plan = Plan::default();
        let x = plan.buffer("x", Element::I32, rows, width);
        let out = plan.buffer("out", Element::I32, 1, width);
        plan.push(Op::SumRows { x, out });
        plan.inputs = vec![x];
        check(build(ArtifactBuilder::new()), &plan, &Values::I32(stream(&mut random, rows, width)));
    }

    #[test]
    fn unit_is_its_scalar_twin(rows in 1usize..10, width in 1usize..400, bits in 0u32..32, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut plan = Plan::default();
        let x = plan.buffer("x", Element::I32, rows, width);
        let out = plan.buffer("out", Element::I32, rows, width);
        plan.push(Op::Unit { x, out });
        plan.inputs = vec![x];
        let mut values: Vec<i32> = (0..rows * width).map(|_| random.i32(..) >> bits).collect();
        if random.u8(..) < 64 {
            values[0] = i32::MIN;
        }
        check(build(ArtifactBuilder::new()), &plan, &Values::I32(values));
    }

    #[test]
    fn argmax_is_its_scalar_twin(rows in 1usize..70, width in 1usize..50, bits in 0u32..31, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut plan = Plan::default();
        let x = plan.buffer("x", Element::I32, rows, width);
        let out = plan.buffer("out", Element::U32, rows, 1);
        plan.push(Op::Argmax { x, out });
        plan.inputs = vec![x];
        let values = (0..rows * width).map(|_| random.i32(..) >> bits).collect();
        check(build(ArtifactBuilder::new()), &plan, &Values::I32(values));
    }
}

#[test]
fn unit_of_nothing_and_of_the_extremes() {
    for row in [vec![0; 8], vec![i32::MIN; 8], vec![i32::MAX; 8], vec![0, 0, 1, 0], vec![-1]] {
        let mut plan = Plan::default();
        let x = plan.buffer("x", Element::I32, 1, row.len());
        let out = plan.buffer("out", Element::I32, 1, row.len());
        plan.push(Op::Unit { x, out });
        plan.inputs = vec![x];
        check(build(ArtifactBuilder::new()), &plan, &Values::I32(row));
    }
}
