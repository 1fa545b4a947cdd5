//! A decoder in parts: each plan reads an artifact that need not hold another part's tensors, so that a model can be
//! computed of which only a part is in memory.
//!
//! Taken one after the other the parts give what [`Llama::plan`](super::Llama::plan) gives, bit for bit.

use super::{
    Builder, Place, Shape, cache,
    tensors::{Layer, Tables, wide_word},
};
use crate::{
    artifact::{Artifact, Dtype, LlamaRecipe},
    error::Error,
    models::{
        layer_prefix,
        scope::{Linear, Scope},
    },
    plan::{Element, Op, Plan, ROW_FIELDS},
};

/// What every layer reads beside its own tensors.
pub const TABLES: [&str; 3] = ["rotation.table", "attention.exp.table", "norm.epsilon"];

/// The name of the weight that gives the logits.
pub fn head(recipe: &LlamaRecipe) -> &'static str {
    if recipe.tied { "embed.weight" } else { "head.weight" }
}

/// The stream before the first layer.
///
/// The artifact needs `embed.weight` and `embed.scale`, of `words` words. Input: rows `U32 [rows][4]` as
/// [`Llama::plan`](super::Llama::plan) has them. Output: the stream `I32 [rows][width]`.
///
/// # Errors
/// [`Error::Tensor`] for a tensor that is missing or of another shape; so too for the other parts.
pub fn words(artifact: &Artifact, recipe: &LlamaRecipe, words: usize, rows: usize) -> Result<Plan, Error> {
    let (scope, width) = (Scope::new(artifact, "embed"), recipe.width as usize);
    let weight = scope.matrix("weight", Dtype::I8, words, width)?;
    let scale = scope.vector("scale", Dtype::Scale, words)?;
    let mut plan = Plan::default();
    let which = plan.buffer("rows", Element::U32, rows, ROW_FIELDS);
    let out = plan.buffer("embed", Element::I32, rows, width);
    plan.push(Op::Lookup { rows: which, weight, scale, out });
    (plan.inputs, plan.outputs) = (vec![which], vec![out]);
    Ok(plan)
}

/// One layer; of the shape its rows, sequences, pages and slots count.
///
/// The artifact needs the layer's own tensors, whose names begin with its prefix, and [`TABLES`]. Inputs: rows and pages
/// as [`Llama::plan`](super::Llama::plan) has them, the stream `I32 [rows][width]` and, but for the first layer, what is
/// still to be added to it. State: the layer's keys and values. Outputs: the stream and what is still to be added to it.
///
/// # Errors
/// As for [`words`].
pub fn layer(artifact: &Artifact, recipe: &LlamaRecipe, i: usize, shape: Shape) -> Result<Plan, Error> {
    let layer = Layer::find(&Scope::new(artifact, layer_prefix(i)), recipe)?;
    let (tables, width) = (Tables::find(artifact, recipe)?, recipe.width as usize);
    let mut plan = Plan::default();
    let rows = plan.buffer("rows", Element::U32, shape.rows, ROW_FIELDS);
    let pages = plan.buffer("pages", Element::U32, shape.sequences, shape.pages);
    let stream = plan.buffer("stream", Element::I32, shape.rows, width);
    let added = (i > 0).then(|| plan.buffer("added", Element::I32, shape.rows, width));
    let state = cache(recipe, i, shape.slots).map(|b| plan.buffer(b.name, b.element, b.rows, b.cols));
    plan.inputs = [rows, pages, stream].into_iter().chain(added).collect();
    plan.state = state.into();
    let mut build = Builder { plan, recipe, epsilon: tables.epsilon };
    let (stream, added) = build.layer(&layer_prefix(i), &layer, Place { rows, pages, state, tables }, stream, added);
    build.plan.outputs = vec![stream, added];
    Ok(build.plan)
}

/// The logits of some of the words.
///
/// The artifact needs `norm.epsilon`, `final.gain` and, each for `words` words, `head.bias`, `head.scale` and the weight
/// that [`head`] names. Inputs: the stream `I32 [rows][width]` and what is still to be added to it. Output: the logits
/// `I32 [rows][words]`.
///
/// # Errors
/// As for [`words`].
pub fn logits(artifact: &Artifact, recipe: &LlamaRecipe, words: usize, rows: usize) -> Result<Plan, Error> {
    let (scope, width) = (Scope::new(artifact, "head"), recipe.width as usize);
    let head = Linear {
        weight: artifact.find(head(recipe), Dtype::I8, words, width)?,
        bias: scope.vector("bias", Dtype::I32, words)?,
        scale: scope.vector("scale", Dtype::Scale, words)?,
    };
    let gain = Scope::new(artifact, "final").vector("gain", Dtype::Scale, width)?;
    let epsilon = wide_word(artifact, "norm.epsilon", 48)?.0;
    let mut plan = Plan::default();
    let inputs = ["stream", "added"].map(|name| plan.buffer(name, Element::I32, rows, width));
    plan.inputs = inputs.into();
    let mut build = Builder { plan, recipe, epsilon };
    let logits = build.logits(gain, head, words, inputs[0], Some(inputs[1]));
    build.plan.outputs = vec![logits];
    Ok(build.plan)
}
