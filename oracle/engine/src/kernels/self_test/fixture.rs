//! The self test's data: the same on every machine and in every version.

use provena_arith::fixed::{EXP_ONE, Scale};
use provena_arith::receipt::ENGINE_CLASS_INT_V1;

use crate::artifact::{Artifact, ArtifactBuilder, Dtype, MlpLayer, MlpRecipe, ModelRecipe, Recipe, Source};
use crate::error::Error;
use crate::plan::{Element, LinearOutput, Op, Plan, Quantise, TensorId};
use crate::values::Values;

/// Rows of the word table.
const VOCABULARY: usize = 40;
/// Width of the stream: not a multiple of sixteen, so that there is padding.
const WIDTH: usize = 24;
/// Heads of the attention.
const HEADS: usize = 3;
/// Width of the activation in the middle: not even a multiple of four.
const INNER: usize = 37;
/// Outputs at the end.
const CLASSES: usize = 10;
/// Entries of the activation's table.
const TABLE: usize = 1 << 9;
/// Entries of the exponential's table.
const EXP: usize = 300;
/// Tokens of the two cases: one for the small tile, and one that ends within the large one.
const TOKENS: [usize; 2] = [1, 13];

/// An artifact with plans for it.
pub(super) struct Fixture {
    pub(super) artifact: Artifact,
    pub(super) cases: Vec<(Plan, Values)>,
}

impl Fixture {
    pub(super) fn new() -> Result<Self, Error> {
        let artifact = artifact()?;
        let cases = TOKENS.iter().map(|&tokens| case(&artifact, tokens)).collect::<Result<_, _>>()?;
        Ok(Self { artifact, cases })
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    }

    fn i8s(&mut self, count: usize) -> Vec<i8> {
        (0..count).map(|_| (self.next() % 255) as i8).map(|v| v.max(-127)).collect()
    }

    fn i16s(&mut self, count: usize) -> Vec<i16> {
        (0..count).map(|_| (self.next() as i16) / 2).collect()
    }

    fn i32s(&mut self, count: usize, bound: u32) -> Vec<i32> {
        (0..count).map(|_| (self.next() % (2 * bound + 1)) as i32 - bound as i32).collect()
    }

    /// Scales that divide by roughly 2^shift, of either sign.
    fn scales(&mut self, count: usize, shift: u32) -> Vec<Scale> {
        let scale = |bits: u32| {
            let multiplier = 0x4000 + (bits & 0x3fff) as i16;
            Scale::new(if bits & 0x8000 == 0 { multiplier } else { -multiplier }, shift - 1, bits >> 16 & 1)
        };
        (0..count).map(|_| scale(self.next())).collect()
    }
}

fn artifact() -> Result<Artifact, Error> {
    let mut random = Random(1);
    let mut builder = ArtifactBuilder::new();
    builder.i16("words", VOCABULARY, WIDTH, &random.i16s(VOCABULARY * WIDTH));
    builder.i16("positions", TOKENS[1], WIDTH, &random.i16s(TOKENS[1] * WIDTH));
    builder.scales("gain", &random.scales(WIDTH, 6));
    builder.i32("shift", &random.i32s(WIDTH, 2_000));
    builder.scales("quantise", &random.scales(WIDTH, 8));
    for (name, outputs, inputs) in
        [("qkv", 3 * WIDTH, WIDTH), ("out", WIDTH, WIDTH), ("up", INNER, WIDTH), ("down", CLASSES, INNER)]
    {
        builder.i8(format!("{name}.weight"), outputs, inputs, &random.i8s(outputs * inputs));
        builder.i32(format!("{name}.bias"), &random.i32s(outputs, 20_000));
        builder.scales(format!("{name}.scale"), &random.scales(outputs, 9));
    }
    builder.scales("up.out_scale", &random.scales(INNER, 2));
    builder.i32("table", &random.i32s(TABLE, 500));
    builder.scales("score_scale", &random.scales(HEADS, 7));
    let falling = |at: usize| EXP_ONE * (EXP - 1 - at) as i32 / (EXP - 1) as i32;
    builder.i32("exp", &(0..EXP).map(falling).collect::<Vec<_>>());
    builder.scales("context", &random.scales(WIDTH, 8));
    builder.build(Recipe {
        name: "self test".into(),
        engine_class: ENGINE_CLASS_INT_V1,
        model: ModelRecipe::Mlp(MlpRecipe {
            inputs: 1,
            max_value: 1,
            layers: vec![MlpLayer { outputs: CLASSES as u32 }],
        }),
        tokenizer_sha256: None,
        source: Source::default(),
    })
}

/// A plan that uses every operation and every variant of each.
fn case(artifact: &Artifact, tokens: usize) -> Result<(Plan, Values), Error> {
    let vector = |name: &str, dtype: Dtype| artifact.find_table(name, dtype).map(|(id, _)| id);
    let weight = |name: &str, outputs, inputs| artifact.find(&format!("{name}.weight"), Dtype::I8, outputs, inputs);
    let bias = |name: &str| vector(&format!("{name}.bias"), Dtype::I32);
    let scale = |name: &str| vector(&format!("{name}.scale"), Dtype::Scale);
    let mut plan = Plan::default();
    let mut buffer = |name: &str, element, rows, cols| plan.buffer(name, element, rows, cols);

    let ids = buffer("ids", Element::U32, tokens, 1);
    let embedded = buffer("embedded", Element::I32, tokens, WIDTH);
    let streams = ["plain", "quantised", "added", "both"].map(|name| buffer(name, Element::I32, tokens, WIDTH));
    let bytes = ["quantised bytes", "both bytes"].map(|name| buffer(name, Element::I8, tokens, WIDTH));
    let qkv = buffer("queries, keys and values", Element::I8, tokens, 3 * WIDTH);
    let contexts = buffer("contexts", Element::I8, tokens, WIDTH);
    let projected = buffer("projected", Element::I32, tokens, WIDTH);
    let up = buffer("up", Element::I8, tokens, INNER);
    let up_relu = buffer("up with relu", Element::I8, tokens, INNER);
    let logits = buffer("logits", Element::I32, tokens, CLASSES);
    let sum = buffer("sum", Element::I32, 1, WIDTH);
    let unit = buffer("unit", Element::I32, 1, WIDTH);
    let best = buffer("best", Element::U32, tokens, 1);

    let (words, positions) = (
        artifact.find("words", Dtype::I16, VOCABULARY, WIDTH)?,
        artifact.find("positions", Dtype::I16, TOKENS[1], WIDTH)?,
    );
    plan.push(Op::Embed { ids, words, positions, out: embedded });
    let (gain, shift) = (vector("gain", Dtype::Scale)?, vector("shift", Dtype::I32)?);
    let quantise = vector("quantise", Dtype::Scale)?;
    let variants = [(None, None), (None, Some(bytes[0])), (Some(embedded), None), (Some(streams[0]), Some(bytes[1]))];
    for (out, (residual, quantised)) in streams.into_iter().zip(variants) {
        let quantised = quantised.map(|out| Quantise { scale: quantise, out });
        plan.push(Op::Norm { x: embedded, residual, gain, bias: shift, out, quantised });
    }
    let mut linear = |x, name: &str, outputs, inputs, output| -> Result<(), Error> {
        let weight: TensorId = weight(name, outputs, inputs)?;
        plan.push(Op::Linear { x, weight, bias: bias(name)?, output });
        Ok(())
    };
    let int8 = |name: &str, relu, out| scale(name).map(|scale| LinearOutput::Int8 { scale, relu, out });
    linear(bytes[0], "qkv", 3 * WIDTH, WIDTH, int8("qkv", false, qkv)?)?;
    linear(bytes[1], "up", INNER, WIDTH, int8("up", true, up_relu)?)?;
    let table = LinearOutput::Table {
        in_scale: scale("up")?,
        table: vector("table", Dtype::I32)?,
        out_scale: vector("up.out_scale", Dtype::Scale)?,
        out: up,
    };
    linear(bytes[1], "up", INNER, WIDTH, table)?;
    linear(up, "down", CLASSES, INNER, LinearOutput::Raw { out: logits })?;
    let int16 = LinearOutput::Int16 { scale: scale("out")?, out: projected };
    linear(bytes[0], "out", WIDTH, WIDTH, int16)?;
    plan.push(Op::Attention {
        qkv,
        heads: HEADS,
        score_scale: vector("score_scale", Dtype::Scale)?,
        exp_table: vector("exp", Dtype::I32)?,
        context_scale: vector("context", Dtype::Scale)?,
        out: contexts,
    });
    plan.push(Op::SumRows { x: streams[3], out: sum });
    plan.push(Op::Unit { x: sum, out: unit });
    plan.push(Op::Argmax { x: logits, out: best });
    plan.inputs = vec![ids];
    let mut random = Random(2);
    Ok((plan, Values::U32((0..tokens).map(|_| random.next() % VOCABULARY as u32).collect())))
}
