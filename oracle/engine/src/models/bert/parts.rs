//! An encoder in parts: each plan reads an artifact that need not hold another part's tensors, so that a model can be
//! computed of which only a part is in memory.
//!
//! Taken one after the other the parts give what [`Bert::plan`](super::Bert::plan) gives, bit for bit.

use super::{Builder, Layer, Scope, Sizes, norm};
use crate::{
    artifact::{Artifact, BertRecipe, Dtype},
    error::Error,
    plan::{Element, Plan},
};

/// What every layer reads beside its own tensors.
pub const TABLE: &str = "attention.exp.table";

/// What comes before the layers.
///
/// The artifact needs `embed.words` of so many words, `embed.positions` of so many positions, no fewer than tokens, and
/// `embed.norm.gain`, `embed.norm.bias` and `embed.norm.scale`. Input: the tokens `U32 [tokens][1]`, as rows of those
/// words. Outputs: the stream `I32` and its bytes `I8`, both `[tokens][width]`.
///
/// # Errors
/// [`Error::Tensor`] for a tensor that is missing or of another shape; so too for the layers.
pub fn begin(
    artifact: &Artifact,
    recipe: &BertRecipe,
    [words, positions]: [usize; 2],
    tokens: usize,
) -> Result<Plan, Error> {
    let sizes = Sizes::new(recipe);
    let words = artifact.find("embed.words", Dtype::I16, words, sizes.width)?;
    let positions = artifact.find("embed.positions", Dtype::I16, positions, sizes.width)?;
    let first = norm(&Scope::new(artifact, "embed"), "norm", sizes.width, true)?;
    let mut plan = Plan::default();
    let ids = plan.buffer("tokens", Element::U32, tokens, 1);
    plan.inputs = vec![ids];
    let mut build = Builder { plan, tokens, sizes };
    let (stream, bytes) = build.begin(ids, words, positions, &first);
    build.plan.outputs = vec![stream, bytes];
    Ok(build.plan)
}

/// One layer.
///
/// The artifact needs the tensors whose names begin with `layer.`, the layer's three digits and a full stop, and
/// [`TABLE`]. Inputs: the stream and its bytes, as [`begin`] and the layer before give them. Outputs: the same, or after
/// the last layer the vector `I32 [1][width]`.
///
/// # Errors
/// As for [`begin`].
pub fn layer(artifact: &Artifact, recipe: &BertRecipe, i: u32, tokens: usize) -> Result<Plan, Error> {
    let layer = Layer::find(artifact, recipe, i)?;
    let exp_table = Scope::new(artifact, "attention").table("exp.table")?;
    let mut build = Builder { plan: Plan::default(), tokens, sizes: Sizes::new(recipe) };
    let stream = build.stream("stream".into());
    let bytes = build.bytes("bytes".into(), build.sizes.width);
    build.plan.inputs = vec![stream, bytes];
    let (stream, bytes) = build.layer(&crate::models::layer_prefix(i as usize), &layer, exp_table, stream, bytes);
    if i + 1 == recipe.layers {
        build.end(stream);
    } else {
        build.plan.outputs = vec![stream, bytes];
    }
    Ok(build.plan)
}
