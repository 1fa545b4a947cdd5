//! A product and what reads it as one kernel, against the reference, which knows them as two.

use std::sync::Arc;

use proptest::prelude::*;
use provena_engine::artifact::{Artifact, ArtifactBuilder, Dtype};
use provena_engine::gpu::{Gpu, Options, Selection, Switch};
use provena_engine::kernels::{Method, Tuning, lower, self_test};
use provena_engine::plan::{BufferId, Cache, Element, LinearOutput, Op, Plan, ROW_FIELDS, i8_stride};
use provena_engine::recording::GpuModel;
use provena_engine::values::Values;

use super::support::{build, byte_rows, gpu, hostile_scales, scales};

/// A plan with its artifact, inputs and state.
pub(super) struct Case {
    pub artifact: Arc<Artifact>,
    pub plan: Plan,
    pub inputs: Vec<Values>,
    pub state: Vec<Values>,
}

/// How many rows of which width come in, whether they are split, and how nasty everything is.
#[derive(Clone, Copy)]
pub(super) struct Data {
    pub rows: usize,
    pub inputs: usize,
    pub split: bool,
    pub hostile: bool,
    pub seed: u64,
    /// Whether a normalisation comes before the product, and then whether it adds a residual and keeps the sum.
    pub norm: Option<[bool; 2]>,
}

impl Data {
    fn scales(self, random: &mut fastrand::Rng, count: usize, shift: u32) -> Vec<provena_arith::fixed::Scale> {
        if self.hostile { hostile_scales(random, count) } else { scales(random, count, shift) }
    }

    /// The product's tensors.
    pub(super) fn tensors(self, builder: &mut ArtifactBuilder, random: &mut fastrand::Rng, outputs: usize) {
        let least = if self.hostile { -128 } else { -127 };
        let weight: Vec<i8> = (0..outputs * self.inputs).map(|_| random.i8(least..)).collect();
        builder.i8("weight", outputs, self.inputs, &weight);
        let bound = if self.hostile { i32::MAX } else { 100_000 };
        builder.i32("bias", &(0..outputs).map(|_| random.i32(-bound..=bound)).collect::<Vec<_>>());
        builder.scales("scale", &self.scales(random, outputs, 4));
        builder.scales("gain", &self.scales(random, self.inputs, if self.split { 3 } else { 10 }));
        builder.i32("epsilon", &[random.i32(..), random.i32(..if self.hostile { i32::MAX } else { 1 << 16 })]);
    }

    /// What the product reads: an input of the plan, or what its normalisation gives.
    fn x(self, plan: &mut Plan, artifact: &Artifact) -> BufferId {
        let x = plan.buffer("x", if self.split { Element::Split } else { Element::I8 }, self.rows, self.inputs);
        let Some([residual, sum]) = self.norm else {
            plan.inputs.push(x);
            return x;
        };
        let mut stream = |name| plan.buffer(name, Element::I32, self.rows, self.inputs);
        let (wide, sum) = (stream("wide"), sum.then(|| stream("sum")));
        let residual = residual.then(|| stream("residual"));
        plan.inputs.push(wide);
        plan.inputs.extend(residual);
        plan.outputs.extend(sum);
        let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
        let (gain, epsilon) = (vector("gain", Dtype::Scale), vector("epsilon", Dtype::I32));
        plan.push(Op::RmsNorm { x: wide, residual, gain, epsilon, sum, out: x });
        x
    }

    /// The product, into a stream of 16 bits.
    pub(super) fn product(self, plan: &mut Plan, artifact: &Artifact) -> BufferId {
        let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap();
        let (bias, outputs) = vector("bias", Dtype::I32);
        let x = self.x(plan, artifact);
        let out = plan.buffer("stream", Element::I32, self.rows, outputs);
        let weight = artifact.find("weight", Dtype::I8, outputs, self.inputs).unwrap();
        let output = LinearOutput::Int16 { scale: vector("scale", Dtype::Scale).0, out };
        plan.push(Op::Linear { x, weight, bias, output });
        out
    }

    /// The inputs up to the product.
    pub(super) fn values(self, random: &mut fastrand::Rng) -> Vec<Values> {
        if let Some([residual, _]) = self.norm {
            let mut any = || random.i32(..) >> random.u32(if self.hostile { 0..32 } else { 5..32 });
            return (0..=u8::from(residual))
                .map(|_| Values::I32((0..self.rows * self.inputs).map(|_| any()).collect()))
                .collect();
        }
        let mut bytes = byte_rows(random, if self.split { 2 * self.rows } else { self.rows }, self.inputs);
        if self.hostile {
            let meaningful = |at: usize| at % i8_stride(self.inputs) < self.inputs;
            let lowest = |(at, byte): (usize, &mut i8)| {
                if meaningful(at) && *byte % 5 == 0 {
                    *byte = -128;
                }
            };
            bytes.iter_mut().enumerate().for_each(lowest);
        }
        vec![Values::I8(bytes)]
    }
}

pub(super) fn gated(data: Data, inner: usize, bits: u32, split_out: bool) -> Case {
    let mut random = fastrand::Rng::with_seed(data.seed);
    let mut builder = ArtifactBuilder::new();
    data.tensors(&mut builder, &mut random, 2 * inner);
    builder.i32("table", &(0..=1 << bits).map(|_| random.i32(-32_768..=32_767)).collect::<Vec<_>>());
    builder.scales("out_scale", &data.scales(&mut random, inner, if split_out { 14 } else { 22 }));
    let artifact = build(builder);
    let mut plan = Plan::default();
    let x = data.product(&mut plan, &artifact);
    let out = plan.buffer("out", if split_out { Element::Split } else { Element::I8 }, data.rows, inner);
    let vector = |name: &str, dtype| artifact.find_table(name, dtype).unwrap().0;
    let (table, out_scale) = (vector("table", Dtype::I32), vector("out_scale", Dtype::Scale));
    plan.push(Op::Gate { x, table, out_scale, out });
    plan.outputs.push(out);
    let inputs = data.values(&mut random);
    Case { artifact: Arc::new(artifact), plan, inputs, state: vec![] }
}

pub(super) fn turned(data: Data, [kv_heads, group, eighths]: [usize; 3]) -> Case {
    let mut random = fastrand::Rng::with_seed(data.seed);
    let (heads, depth) = (kv_heads * group, 8 * eighths);
    let (slots, positions) = (data.rows + random.usize(0..20), random.usize(1..60));
    let mut builder = ArtifactBuilder::new();
    data.tensors(&mut builder, &mut random, (heads + 2 * kv_heads) * depth);
    builder.i16("table", positions, depth, &(0..positions * depth).map(|_| random.i16(..)).collect::<Vec<_>>());
    let artifact = build(builder);
    let mut plan = Plan::default();
    let qkv = data.product(&mut plan, &artifact);
    let rows = plan.buffer("rows", Element::U32, data.rows, ROW_FIELDS);
    let queries = plan.buffer("queries", Element::Split, data.rows, heads * depth);
    let [keys, values] = ["keys", "values"].map(|name| plan.buffer(name, Element::I8, slots, kv_heads * depth));
    let cache = Cache { keys, values, kv_heads, depth, page: 16 };
    let table = artifact.find("table", Dtype::I16, positions, depth).unwrap();
    plan.push(Op::RotateStore { qkv, rows, table, cache, queries });
    plan.inputs.push(rows);
    plan.outputs.push(queries);
    plan.state = vec![keys, values];
    let mut free: Vec<u32> = (0..slots as u32).collect();
    random.shuffle(&mut free);
    let at = |slot: &u32| [random.u32(..), random.u32(..positions as u32), *slot, random.u32(..)];
    let fields = free[..data.rows].iter().flat_map(at).collect();
    let mut inputs = data.values(&mut random);
    inputs.push(Values::U32(fields));
    let state = (0..2).map(|_| Values::I8(byte_rows(&mut random, slots, kv_heads * depth))).collect();
    Case { artifact: Arc::new(artifact), plan, inputs, state }
}

impl Case {
    pub(super) fn dispatches(&self, tuning: Tuning) -> usize {
        lower(&self.plan, &self.artifact, tuning).unwrap().dispatches.len()
    }

    /// Compares the outputs and the state under tunings of every kind.
    fn check(&self, rows: usize) {
        let Some(gpu) = gpu() else { return };
        let mut tunings = vec![Tuning::SOFTWARE, Tuning::HARDWARE, Tuning::of(gpu.caps())];
        if gpu.caps().uses(Switch::Subgroup) {
            tunings.push(Tuning { few_rows: Some(Method::AcrossSubgroups), ..Tuning::HARDWARE });
        }
        for tuning in tunings {
            // Beyond eight rows there is no fused kernel for graphics processors.
            let every = Tuning { fused_rows: usize::MAX, ..tuning };
            let fused = tuning.few_rows.is_none() || rows <= 8;
            assert_eq!(self.dispatches(every), if fused { 1 } else { 2 }, "{every:?}");
            assert_eq!(self.dispatches(Tuning { fused_rows: 0, ..tuning }), 2);
            for tuning in [tuning, every] {
                let model = GpuModel::load_tuned(gpu, self.artifact.clone(), tuning).unwrap();
                let outcome = self_test::compare_outputs(&model, &self.plan, &self.inputs, &self.state);
                outcome.unwrap_or_else(|error| panic!("{tuning:?}: {error}"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_product_and_its_gate_are_their_scalar_twins(
        rows in 1usize..12, inputs in 1usize..200, inner in 1usize..200, bits in 2u32..=15, flags: [bool; 3], seed: u64
    ) {
        let [split, hostile, split_out] = flags;
        gated(Data { rows, inputs, split, hostile, seed, norm: None }, inner, bits, split_out).check(rows);
    }

    #[test]
    fn a_product_and_its_rotation_are_their_scalar_twins(
        rows in 1usize..12, inputs in 1usize..200, kv_heads in 1usize..4, group in 1usize..5, eighths in 1usize..=16,
        flags: [bool; 2], seed: u64
    ) {
        let [split, hostile] = flags;
        turned(Data { rows, inputs, split, hostile, seed, norm: None }, [kv_heads, group, eighths]).check(rows);
    }
}

const ONE: Data = Data { rows: 1, inputs: 576, split: true, hostile: false, seed: 1, norm: None };

#[test]
fn fused_kernels_of_a_decoders_shapes() {
    gated(ONE, 1_536, 10, true).check(1);
    gated(Data { rows: 2, hostile: true, ..ONE }, 1_536, 10, false).check(2);
    turned(ONE, [3, 3, 8]).check(1);
    turned(Data { rows: 2, hostile: true, split: false, ..ONE }, [3, 3, 8]).check(2);
}

#[test]
fn what_somebody_else_reads_stays() {
    let case = gated(ONE, 40, 10, true);
    assert_eq!(case.dispatches(Tuning::SOFTWARE), 1);
    let shown = |plan: Plan| Case { plan, ..gated(ONE, 40, 10, true) }.dispatches(Tuning::SOFTWARE);
    let Op::Gate { x, table, out_scale, out } = case.plan.ops[1] else { panic!("no gate") };
    // An output of the plan, its state, and what has another reader.
    assert_eq!(shown(Plan { outputs: vec![x, out], ..case.plan.clone() }), 2);
    assert_eq!(shown(Plan { state: vec![x], ..case.plan.clone() }), 2);
    let mut twice = case.plan.clone();
    let second = twice.buffer("second", Element::I8, 1, 40);
    twice.push(Op::Gate { x, table, out_scale, out: second });
    assert_eq!(shown(twice), 3);
    // A weight in parts has a kernel for each.
    let parts = Tuning { max_binding: 64 * 576, ..Tuning::SOFTWARE };
    assert_eq!(case.dispatches(parts), 3);
}

#[test]
fn the_switch_turns_it_off() {
    if gpu().is_none() {
        return;
    }
    let options = Options { disabled: [Switch::Fusion].into(), ..Options::default() };
    let without = Gpu::open_with(&Selection::Best, &options).unwrap();
    assert_eq!(Tuning::of(without.caps()).fused_rows, 0);
    let case = turned(ONE, [3, 3, 8]);
    assert_eq!(case.dispatches(Tuning::of(without.caps())), 2);
    let model = GpuModel::load(&without, case.artifact.clone()).unwrap();
    self_test::compare_outputs(&model, &case.plan, &case.inputs, &case.state).unwrap();
}
