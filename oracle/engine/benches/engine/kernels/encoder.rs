//! The operations of MiniLM at 32 tokens and of the classifiers.

use provena_engine::plan::{Element, LinearOutput, Op, Plan, Quantise};

use super::case::{Case, Tensors, tensor};

const TOKENS: usize = 32;
const WIDTH: usize = 384;
const INNER: usize = 1536;
const HEADS: usize = 12;

pub(super) fn cases() -> Vec<Case> {
    vec![
        linear(TOKENS, WIDTH, 3 * WIDTH, "int8"),
        linear(TOKENS, WIDTH, WIDTH, "int16"),
        linear(TOKENS, WIDTH, INNER, "table"),
        linear(TOKENS, INNER, WIDTH, "int16"),
        linear(512, 576, INNER, "int16"),
        linear(1, 64, 96, "relu"),
        linear(1, 96, 10, "raw"),
        linear(256, 64, 96, "relu"),
        attention(TOKENS),
        attention(256),
        embed(),
        norm(),
        sum_rows(),
        unit(),
        patches(256),
        max_pool(256),
    ]
}

fn linear(rows: usize, inputs: usize, outputs: usize, kind: &str) -> Case {
    let artifact = Tensors::new()
        .i8("weight", outputs, inputs)
        .i32("bias", &vec![1; outputs])
        .scale("scale", outputs, 8)
        .i32("table", &(0..4096).map(|at| at / 16 - 128).collect::<Vec<_>>())
        .build();
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I8, rows, inputs);
    let element = if matches!(kind, "int16" | "raw") { Element::I32 } else { Element::I8 };
    let out = plan.buffer("out", element, rows, outputs);
    let (scale, table) = (tensor(&artifact, "scale"), tensor(&artifact, "table"));
    let output = match kind {
        "raw" => LinearOutput::Raw { out },
        "int16" => LinearOutput::Int16 { scale, out },
        "table" => LinearOutput::Table { in_scale: scale, table, out_scale: scale, out },
        kind => LinearOutput::Int8 { scale, relu: kind == "relu", out },
    };
    plan.push(Op::Linear { x, weight: tensor(&artifact, "weight"), bias: tensor(&artifact, "bias"), output });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    let shape = format!("{rows}x{inputs}x{outputs}");
    Case::new(artifact, plan, shape, 2 * rows * inputs * outputs, inputs * outputs)
}

fn attention(tokens: usize) -> Case {
    let artifact = Tensors::new().scale("score", HEADS, 6).scale("context", WIDTH, 6).exp("exp").build();
    let mut plan = Plan::default();
    let qkv = plan.buffer("qkv", Element::I8, tokens, 3 * WIDTH);
    let out = plan.buffer("out", Element::I8, tokens, WIDTH);
    plan.push(Op::Attention {
        qkv,
        heads: HEADS,
        score_scale: tensor(&artifact, "score"),
        exp_table: tensor(&artifact, "exp"),
        context_scale: tensor(&artifact, "context"),
        out,
    });
    plan.inputs = vec![qkv];
    plan.outputs = vec![out];
    let shape = format!("{tokens} tokens, {HEADS}x{}", WIDTH / HEADS);
    Case::new(artifact, plan, shape, 4 * tokens * tokens * WIDTH, 0)
}

fn embed() -> Case {
    let artifact = Tensors::new().i16("words", 1000, WIDTH).i16("positions", 512, WIDTH).build();
    let mut plan = Plan::default();
    let ids = plan.buffer("ids", Element::U32, TOKENS, 1);
    let out = plan.buffer("out", Element::I32, TOKENS, WIDTH);
    plan.push(Op::Embed { ids, words: tensor(&artifact, "words"), positions: tensor(&artifact, "positions"), out });
    plan.inputs = vec![ids];
    plan.outputs = vec![out];
    Case::new(artifact, plan, shape(TOKENS), TOKENS * WIDTH, 4 * TOKENS * WIDTH)
}

fn norm() -> Case {
    let artifact = Tensors::new().scale("scale", WIDTH, 6).i32("bias", &[1; WIDTH]).build();
    let scale = tensor(&artifact, "scale");
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, TOKENS, WIDTH);
    let residual = plan.buffer("residual", Element::I32, TOKENS, WIDTH);
    let out = plan.buffer("out", Element::I32, TOKENS, WIDTH);
    let bytes = plan.buffer("bytes", Element::I8, TOKENS, WIDTH);
    plan.push(Op::Norm {
        x,
        residual: Some(residual),
        gain: scale,
        bias: tensor(&artifact, "bias"),
        out,
        quantised: Some(Quantise { scale, out: bytes }),
    });
    plan.inputs = vec![x, residual];
    plan.outputs = vec![out, bytes];
    Case::new(artifact, plan, shape(TOKENS), 10 * TOKENS * WIDTH, 0)
}

fn sum_rows() -> Case {
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, TOKENS, WIDTH);
    let out = plan.buffer("out", Element::I32, 1, WIDTH);
    plan.push(Op::SumRows { x, out });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    Case::new(Tensors::new().build(), plan, shape(TOKENS), TOKENS * WIDTH, 0)
}

fn unit() -> Case {
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, 1, WIDTH);
    let out = plan.buffer("out", Element::I32, 1, WIDTH);
    plan.push(Op::Unit { x, out });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    Case::new(Tensors::new().build(), plan, shape(1), 6 * WIDTH, 0)
}

/// Of the second convolution of the committed classifier.
fn patches(images: usize) -> Case {
    let (side, channels, kernel) = (4, 16, 3);
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I8, images * side * side, channels);
    let out = plan.buffer("out", Element::I8, images * side * side, kernel * kernel * channels);
    plan.push(Op::Patches { x, size: [side, side], kernel, stride: 1, pad: 1, out });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    let shape = format!("{images}x{side}x{side}x{channels}");
    Case::new(Tensors::new().build(), plan, shape, 0, 0)
}

fn max_pool(images: usize) -> Case {
    let (side, channels) = (8, 16);
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I8, images * side * side, channels);
    let out = plan.buffer("out", Element::I8, images * side * side / 4, channels);
    plan.push(Op::MaxPool { x, size: [side, side], kernel: 2, out });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    let shape = format!("{images}x{side}x{side}x{channels}");
    Case::new(Tensors::new().build(), plan, shape, images * side * side * channels, 0)
}

fn shape(rows: usize) -> String {
    format!("{rows}x{WIDTH}")
}
