//! The operations of a Llama of 110 million parameters: a matrix of one token, of eight, and of a prompt.

use provena_engine::plan::{Cache, Element, LinearOutput, Op, Plan, ROW_FIELDS, SAMPLE_FIELDS};
use provena_engine::values::Values;

use super::case::{Case, Tensors, tensor};

const WIDTH: usize = 768;
const INNER: usize = 2048;
const HEADS: usize = 12;
const DEPTH: usize = 64;
const VOCABULARY: usize = 32_000;
const PAGE: usize = 16;
/// Tokens of a prompt.
const PROMPT: usize = 128;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![];
    for rows in [1, 8, PROMPT] {
        cases.push(linear(rows, WIDTH, 3 * WIDTH, "int16"));
        cases.push(linear(rows, WIDTH, WIDTH, "wide"));
        cases.push(linear(rows, WIDTH, 2 * INNER, "int16"));
        cases.push(linear(rows, INNER, WIDTH, "wide"));
    }
    cases.push(linear(1, WIDTH, VOCABULARY, "wide"));
    for rows in [1, PROMPT] {
        cases.push(lookup(rows));
        cases.push(rms_norm(rows));
        cases.push(gate(rows));
        cases.push(rotate_store(rows));
    }
    cases.push(attention(1, 256));
    cases.push(attention(PROMPT, PROMPT));
    cases.push(sample(1));
    cases
}

/// A matrix product over values of sixteen bits.
fn linear(rows: usize, inputs: usize, outputs: usize, kind: &str) -> Case {
    let artifact =
        Tensors::new().i8("weight", outputs, inputs).i32("bias", &vec![1; outputs]).scale("scale", outputs, 4).build();
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::Split, rows, inputs);
    let out = plan.buffer("out", Element::I32, rows, outputs);
    let scale = tensor(&artifact, "scale");
    let output = if kind == "wide" { LinearOutput::Wide { scale, out } } else { LinearOutput::Int16 { scale, out } };
    plan.push(Op::Linear { x, weight: tensor(&artifact, "weight"), bias: tensor(&artifact, "bias"), output });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    let shape = format!("split {rows}x{inputs}x{outputs}");
    // Each of the two bytes of a value has its product.
    Case::new(artifact, plan, shape, 4 * rows * inputs * outputs, inputs * outputs)
}

/// Rows of one sequence: token 0, positions and slots up to `last`, after the page that nobody owns.
fn rows(count: usize, last: usize) -> Values {
    let row = |position: usize| [0, position as u32, (PAGE + position) as u32, 0];
    Values::U32((last + 1 - count..=last).flat_map(row).collect())
}

fn lookup(count: usize) -> Case {
    let artifact = Tensors::new().i8("words", 1000, WIDTH).scale("scale", 1000, 4).build();
    let mut plan = Plan::default();
    let ids = plan.buffer("rows", Element::U32, count, ROW_FIELDS);
    let out = plan.buffer("out", Element::I32, count, WIDTH);
    plan.push(Op::Lookup { rows: ids, weight: tensor(&artifact, "words"), scale: tensor(&artifact, "scale"), out });
    plan.inputs = vec![ids];
    plan.outputs = vec![out];
    Case::new(artifact, plan, format!("{count}x{WIDTH}"), count * WIDTH, count * WIDTH)
}

fn rms_norm(count: usize) -> Case {
    let artifact = Tensors::new().scale("gain", WIDTH, 6).i32("epsilon", &[1 << 20, 0]).build();
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, count, WIDTH);
    let residual = plan.buffer("residual", Element::I32, count, WIDTH);
    let sum = plan.buffer("sum", Element::I32, count, WIDTH);
    let out = plan.buffer("out", Element::Split, count, WIDTH);
    plan.push(Op::RmsNorm {
        x,
        residual: Some(residual),
        gain: tensor(&artifact, "gain"),
        epsilon: tensor(&artifact, "epsilon"),
        sum: Some(sum),
        out,
    });
    plan.inputs = vec![x, residual];
    plan.outputs = vec![sum, out];
    Case::new(artifact, plan, format!("{count}x{WIDTH}"), 8 * count * WIDTH, 0)
}

fn gate(count: usize) -> Case {
    let table: Vec<i32> = (0..=4096).map(|at| (at - 2048) * 8).collect();
    let artifact = Tensors::new().i32("table", &table).scale("scale", INNER, 10).build();
    let mut plan = Plan::default();
    let x = plan.buffer("x", Element::I32, count, 2 * INNER);
    let out = plan.buffer("out", Element::Split, count, INNER);
    plan.push(Op::Gate { x, table: tensor(&artifact, "table"), out_scale: tensor(&artifact, "scale"), out });
    plan.inputs = vec![x];
    plan.outputs = vec![out];
    Case::new(artifact, plan, format!("{count}x{INNER}"), 6 * count * INNER, 0)
}

/// Room for keys and values.
fn cache(plan: &mut Plan, slots: usize) -> Cache {
    let keys = plan.buffer("keys", Element::I8, slots, HEADS * DEPTH);
    let values = plan.buffer("values", Element::I8, slots, HEADS * DEPTH);
    Cache { keys, values, kv_heads: HEADS, depth: DEPTH, page: PAGE }
}

fn rotate_store(count: usize) -> Case {
    let artifact = Tensors::new().i16("table", 512, DEPTH).build();
    let mut plan = Plan::default();
    let qkv = plan.buffer("qkv", Element::I32, count, 3 * WIDTH);
    let ids = plan.buffer("rows", Element::U32, count, ROW_FIELDS);
    let cache = cache(&mut plan, PAGE + PROMPT);
    let queries = plan.buffer("queries", Element::Split, count, WIDTH);
    plan.push(Op::RotateStore { qkv, rows: ids, table: tensor(&artifact, "table"), cache, queries });
    plan.inputs = vec![qkv, ids];
    plan.state = vec![cache.keys, cache.values];
    plan.outputs = vec![queries];
    let bytes = count * WIDTH * (3 * 4 + 2 + 2);
    let case = Case::new(artifact, plan, format!("{count}x{HEADS}x{DEPTH}"), 8 * count * WIDTH, 0);
    Case { bytes, ..case.with(ids, rows(count, PROMPT - 1)) }
}

/// The last `count` of `context` tokens.
fn attention(count: usize, context: usize) -> Case {
    let artifact = Tensors::new().scale("score", HEADS, 14).scale("context", WIDTH, 0).exp("exp").build();
    let mut plan = Plan::default();
    let queries = plan.buffer("queries", Element::Split, count, WIDTH);
    let ids = plan.buffer("rows", Element::U32, count, ROW_FIELDS);
    let pages = plan.buffer("pages", Element::U32, 1, context.div_ceil(PAGE));
    let cache = cache(&mut plan, (1 + context.div_ceil(PAGE)) * PAGE);
    let out = plan.buffer("out", Element::Split, count, WIDTH);
    plan.push(Op::CachedAttention {
        queries,
        rows: ids,
        pages,
        cache,
        heads: HEADS,
        window: 0,
        score_scale: tensor(&artifact, "score"),
        exp_table: tensor(&artifact, "exp"),
        context_scale: tensor(&artifact, "context"),
        out,
    });
    // As inputs, so that they hold something.
    plan.inputs = vec![queries, ids, pages, cache.keys, cache.values];
    plan.outputs = vec![out];
    // A token sees on average half of those among which it is, and all that came before.
    let seen = count * (context - count) + count * (count + 1) / 2;
    let shape = format!("{count} of {context}, {HEADS}x{DEPTH}");
    // Queries have two bytes per value, attention's weights, too.
    let case = Case::new(artifact, plan, shape, 8 * seen * WIDTH, 0);
    case.with(ids, rows(count, context - 1)).with(pages, Values::U32((1..=context.div_ceil(PAGE) as u32).collect()))
}

fn sample(count: usize) -> Case {
    let artifact = Tensors::new().exp("exp").build();
    let mut plan = Plan::default();
    let logits = plan.buffer("logits", Element::I32, count, VOCABULARY);
    let params = plan.buffer("params", Element::U32, count, SAMPLE_FIELDS);
    let out = plan.buffer("out", Element::U32, count, 1);
    plan.push(Op::Sample { logits, params, exp_table: tensor(&artifact, "exp"), out });
    plan.inputs = vec![logits, params];
    plan.outputs = vec![out];
    let scale = provena_arith::fixed::Scale::new(0x5000, 5, 0).0;
    let words = [scale, 40, 60_000, 0x8000_0000];
    let case = Case::new(artifact, plan, format!("{count}x{VOCABULARY}"), 4 * count * VOCABULARY, 0);
    case.with(params, Values::U32(words.repeat(count)))
}
