//! Where a decoder's tensors are in its artifact.

use provena_arith::fixed::{EXP_ONE, I16_MAX};

use crate::{
    artifact::{Artifact, Dtype, LlamaRecipe},
    error::Error,
    models::scope::{Linear, Scope},
    plan::TensorId,
};

/// What all layers read.
#[derive(Clone, Copy)]
pub(super) struct Tables {
    pub rotation: TensorId,
    /// The exponential of attention.
    pub exp: TensorId,
    pub epsilon: TensorId,
}

/// What one layer reads.
pub(super) struct Layer {
    pub norm1: TensorId,
    pub qkv: Linear,
    pub score_scale: TensorId,
    pub context_scale: TensorId,
    pub output: Linear,
    pub norm2: TensorId,
    pub up: Linear,
    pub gate_table: TensorId,
    pub gate_scale: TensorId,
    pub down: Linear,
}

impl Tables {
    pub(super) fn find(artifact: &Artifact, recipe: &LlamaRecipe) -> Result<Self, Error> {
        let rotation = Scope::new(artifact, "rotation");
        Ok(Self {
            rotation: rotation.matrix("table", Dtype::I16, recipe.positions as usize, recipe.depth as usize)?,
            exp: Scope::new(artifact, "attention").weights("exp.table", EXP_ONE)?,
            epsilon: wide_word(artifact, "norm.epsilon", 48)?.0,
        })
    }
}

impl Layer {
    pub(super) fn find(scope: &Scope<'_>, recipe: &LlamaRecipe) -> Result<Self, Error> {
        let [width, inner, heads] = [recipe.width, recipe.inner, recipe.heads].map(|n| n as usize);
        let [kv_heads, depth] = [recipe.kv_heads, recipe.depth].map(|n| n as usize);
        Ok(Self {
            norm1: scope.vector("norm1.gain", Dtype::Scale, width)?,
            qkv: scope.linear("qkv", (heads + 2 * kv_heads) * depth, width)?,
            score_scale: scope.vector("score.scale", Dtype::Scale, heads)?,
            context_scale: scope.vector("context.scale", Dtype::Scale, heads * depth)?,
            output: scope.linear("output", width, heads * depth)?,
            norm2: scope.vector("norm2.gain", Dtype::Scale, width)?,
            up: scope.linear("up", 2 * inner, width)?,
            gate_table: scope.line("gate.table", I16_MAX)?,
            gate_scale: scope.vector("gate.scale", Dtype::Scale, inner)?,
            down: scope.linear("down", width, inner)?,
        })
    }
}

/// An `I32 [2]` tensor, and the number below 2^bits whose low and high word it holds.
pub(super) fn wide_word(artifact: &Artifact, name: &str, bits: u32) -> Result<(TensorId, u64), Error> {
    let id = artifact.find(name, Dtype::I32, 1, 2)?;
    let words = artifact.tensor(id).i32s();
    let value = u64::from(words[0] as u32) | u64::from(words[1] as u32) << 32;
    if bits < 64 && value >> bits != 0 {
        return Err(Error::tensor(name, format!("is {value}, not below 2^{bits}")));
    }
    Ok((id, value))
}
