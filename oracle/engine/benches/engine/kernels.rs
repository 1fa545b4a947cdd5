//! One operation at a time, at the shapes of MiniLM with 32 tokens and of the digits classifier.

use std::sync::Arc;
use std::time::Duration;

use provena_arith::fixed::{EXP_ONE, Scale};
use provena_arith::receipt::ENGINE_CLASS_INT_V1;
use provena_engine::artifact::{Artifact, ArtifactBuilder, Dtype, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source};
use provena_engine::gpu::Gpu;
use provena_engine::plan::{Element, LinearOutput, Op, Plan, Quantise, TensorId};
use provena_engine::recording::GpuModel;
use provena_engine::reference;
use provena_engine::values::Values;

use crate::report::Kernel;
use crate::timing::{sample, summarise};

const TOKENS: usize = 32;
const WIDTH: usize = 384;
const INNER: usize = 1536;
const HEADS: usize = 12;
const SAMPLES: usize = 15;
/// How long one sample should take, so that starting a submission does not count.
const SAMPLE: Duration = Duration::from_millis(20);

/// An operation to be measured.
struct Case {
    artifact: Artifact,
    plan: Plan,
    shape: String,
    /// Multiplications and additions.
    operations: usize,
    /// Bytes that must be read or written once.
    bytes: usize,
}

/// Measures every case.
pub fn measure(gpu: &Gpu) -> Result<Vec<Kernel>, provena_engine::gpu::Error> {
    cases().into_iter().map(|case| case.measure(gpu)).collect()
}

impl Case {
    fn measure(self, gpu: &Gpu) -> Result<Kernel, provena_engine::gpu::Error> {
        let artifact = Arc::new(self.artifact);
        let model = GpuModel::load(gpu, artifact.clone())?;
        let recorded = model.recorded(&self.plan)?;
        let recorded = recorded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let steps = 0..recorded.labels().len();
        let once = recorded.time(steps.clone(), 2)?.min(recorded.time(steps.clone(), 2)?) / 2;
        let repeats = (SAMPLE.as_nanos() / once.as_nanos().max(1)).clamp(1, 2_000) as usize;
        let runs = (0..SAMPLES).map(|_| recorded.time(steps.clone(), repeats)).collect::<Result<Vec<_>, _>>()?;
        let micros = summarise(runs.into_iter()).0.as_secs_f64() * 1e6 / repeats as f64;
        let inputs: Vec<Values> = self.plan.inputs.iter().map(|id| Values::zeros(self.plan.get(*id))).collect();
        let (reference, _) = sample(5, || drop(reference::execute(&artifact, &self.plan, &inputs, &mut [])));
        Ok(Kernel {
            labels: recorded.labels().into_iter().map(str::to_owned).collect(),
            shape: self.shape,
            micros,
            reference_micros: reference.as_secs_f64() * 1e6,
            gops: self.operations as f64 / micros / 1e3,
            gbytes: self.bytes as f64 / micros / 1e3,
        })
    }
}

fn cases() -> Vec<Case> {
    vec![
        linear(TOKENS, WIDTH, 3 * WIDTH, "int8"),
        linear(TOKENS, WIDTH, WIDTH, "int16"),
        linear(TOKENS, WIDTH, INNER, "table"),
        linear(TOKENS, INNER, WIDTH, "int16"),
        linear(1, 64, 96, "relu"),
        linear(1, 96, 10, "raw"),
        linear(256, 64, 96, "relu"),
        attention(TOKENS),
        attention(256),
        embed(),
        norm(),
        sum_rows(),
        unit(),
    ]
}

fn linear(rows: usize, inputs: usize, outputs: usize, kind: &str) -> Case {
    let mut random = fastrand::Rng::with_seed(1);
    let mut builder = ArtifactBuilder::new();
    builder.i8("weight", outputs, inputs, &(0..outputs * inputs).map(|_| random.i8(-127..)).collect::<Vec<_>>());
    builder.i32("bias", &vec![1; outputs]);
    builder.scales("scale", &vec![Scale::new(0x5000, 8, 0); outputs]);
    builder.i32("table", &(0..4096).map(|at| at / 16 - 128).collect::<Vec<_>>());
    let artifact = build(builder);
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I8, rows, inputs);
    let element = if matches!(kind, "int16" | "raw") { Element::I32 } else { Element::I8 };
    let out = plan.buffer("out", element, rows, outputs);
    let (scale, table) = (vector(&artifact, "scale", Dtype::Scale), vector(&artifact, "table", Dtype::I32));
    let output = match kind {
        "raw" => LinearOutput::Raw { out },
        "int16" => LinearOutput::Int16 { scale, out },
        "table" => LinearOutput::Table { in_scale: scale, table, out_scale: scale, out },
        kind => LinearOutput::Int8 { scale, relu: kind == "relu", out },
    };
    let weight = artifact.find("weight", Dtype::I8, outputs, inputs).unwrap_or(TensorId(0));
    plan.push(Op::Linear { x, weight, bias: vector(&artifact, "bias", Dtype::I32), output });
    plan.inputs = vec![x];
    let bytes = plan.get(x).byte_len() + plan.get(out).byte_len() + inputs * outputs;
    let shape = format!("{rows}x{inputs}x{outputs}");
    Case { artifact, plan, shape, operations: 2 * rows * inputs * outputs, bytes }
}

fn attention(tokens: usize) -> Case {
    let mut builder = ArtifactBuilder::new();
    builder.scales("score", &[Scale::new(0x5000, 6, 0); HEADS]);
    builder.scales("context", &[Scale::new(0x5000, 6, 0); WIDTH]);
    builder.i32("exp", &(0..1024).map(|at| EXP_ONE * (1023 - at) / 1023).collect::<Vec<_>>());
    let artifact = build(builder);
    let mut plan = Plan::default();
    let qkv = plan.buffer("qkv", Element::I8, tokens, 3 * WIDTH);
    let out = plan.buffer("out", Element::I8, tokens, WIDTH);
    plan.push(Op::Attention {
        qkv,
        heads: HEADS,
        score_scale: vector(&artifact, "score", Dtype::Scale),
        exp_table: vector(&artifact, "exp", Dtype::I32),
        context_scale: vector(&artifact, "context", Dtype::Scale),
        out,
    });
    plan.inputs = vec![qkv];
    let bytes = plan.get(qkv).byte_len() + plan.get(out).byte_len();
    let shape = format!("{tokens} tokens, {HEADS}x{}", WIDTH / HEADS);
    Case { artifact, plan, shape, operations: 4 * tokens * tokens * WIDTH, bytes }
}

fn embed() -> Case {
    let mut builder = ArtifactBuilder::new();
    builder.i16("words", 1000, WIDTH, &vec![1; 1000 * WIDTH]);
    builder.i16("positions", 512, WIDTH, &vec![1; 512 * WIDTH]);
    let artifact = build(builder);
    let mut plan = Plan::default();
    let ids = plan.buffer("ids", Element::U32, TOKENS, 1);
    let out = plan.buffer("out", Element::I32, TOKENS, WIDTH);
    let table = |name: &str, rows| artifact.find(name, Dtype::I16, rows, WIDTH).unwrap_or(TensorId(0));
    plan.push(Op::Embed { ids, words: table("words", 1000), positions: table("positions", 512), out });
    plan.inputs = vec![ids];
    rows_case(artifact, plan, TOKENS, 8, 1)
}

fn norm() -> Case {
    let mut builder = ArtifactBuilder::new();
    builder.scales("scale", &[Scale::new(0x5000, 6, 0); WIDTH]);
    builder.i32("bias", &[1; WIDTH]);
    let artifact = build(builder);
    let scale = vector(&artifact, "scale", Dtype::Scale);
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, TOKENS, WIDTH);
    let residual = plan.buffer("residual", Element::I32, TOKENS, WIDTH);
    let out = plan.buffer("out", Element::I32, TOKENS, WIDTH);
    let bytes = plan.buffer("bytes", Element::I8, TOKENS, WIDTH);
    plan.push(Op::Norm {
        x,
        residual: Some(residual),
        gain: scale,
        bias: vector(&artifact, "bias", Dtype::I32),
        out,
        quantised: Some(Quantise { scale, out: bytes }),
    });
    plan.inputs = vec![x];
    rows_case(artifact, plan, TOKENS, 13, 10)
}

fn sum_rows() -> Case {
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, TOKENS, WIDTH);
    let out = plan.buffer("out", Element::I32, 1, WIDTH);
    plan.push(Op::SumRows { x, out });
    plan.inputs = vec![x];
    rows_case(build(ArtifactBuilder::new()), plan, TOKENS, 4, 1)
}

fn unit() -> Case {
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, 1, WIDTH);
    let out = plan.buffer("out", Element::I32, 1, WIDTH);
    plan.push(Op::Unit { x, out });
    plan.inputs = vec![x];
    rows_case(build(ArtifactBuilder::new()), plan, 1, 8, 6)
}

/// A case whose work is counted per element.
fn rows_case(artifact: Artifact, plan: Plan, rows: usize, bytes: usize, operations: usize) -> Case {
    let elements = rows * WIDTH;
    let shape = format!("{rows}x{WIDTH}");
    Case { artifact, plan, shape, operations: operations * elements, bytes: bytes * elements }
}

fn vector(artifact: &Artifact, name: &str, dtype: Dtype) -> TensorId {
    artifact.find_table(name, dtype).map_or(TensorId(0), |(id, _)| id)
}

fn build(builder: ArtifactBuilder) -> Artifact {
    let recipe = Recipe {
        name: "bench".into(),
        engine_class: ENGINE_CLASS_INT_V1,
        model: ModelRecipe::Mlp(MlpRecipe { inputs: 1, max_value: 1, layers: vec![MlpLayer { outputs: 1 }] }),
        tokenizer_sha256: None,
        source: Source::default(),
    };
    builder.build(recipe).unwrap_or_else(|error| panic!("{error}"))
}
