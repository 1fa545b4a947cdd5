//! A normalisation in the kernel of the matrix product that reads it.
//!
//! Every workgroup normalises the rows it needs for itself, into shared memory. That is more work in all, and one kernel
//! less to start and to wait for.

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::kernels::linear::{Product, Prologue, Shape};
use crate::kernels::rms_norm::{Norm, Normed};
use crate::kernels::{Lowering, same, word};
use crate::plan::{LinearOutput, Op, Plan, TensorId, i8_stride};

/// What reads the product of a [`Chain`] within its kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum End {
    /// Nothing.
    Product,
    /// A gated activation.
    Gate,
    /// The rotation of heads.
    Rotation,
}

/// A normalisation, the product of its bytes and what reads that: what decides whether one kernel for them pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Chain {
    /// The product's.
    pub shape: Shape,
    /// What reads the product.
    pub end: End,
    /// Whether a residual is added before the normalisation.
    pub residual: bool,
}

impl Chain {
    /// The chain that begins with the plan's operation at `index`, and how many operations it has.
    #[must_use]
    pub fn at(plan: &Plan, artifact: &Artifact, index: usize) -> Option<(Self, usize)> {
        let norm = plan.ops.get(index).and_then(Norm::of)?;
        let Op::Linear { x, weight, output, .. } = *plan.ops.get(index + 1)? else { return None };
        let shape = (x == norm.out).then(|| Shape::of(plan.buffers.get(x.0 as usize)?, artifact, weight))??;
        let stream = match output {
            LinearOutput::Int16 { out, .. } => Some(out),
            _ => None,
        };
        let (end, len) = match plan.ops.get(index + 2) {
            Some(Op::Gate { x, .. }) if Some(*x) == stream => (End::Gate, 3),
            Some(Op::RotateStore { qkv, .. }) if Some(*qkv) == stream => (End::Rotation, 3),
            _ => (End::Product, 2),
        };
        Some((Self { shape, end, residual: norm.residual.is_some() }, len))
    }
}

impl Lowering<'_> {
    /// Lowers a normalisation and a product; `false` where they are not to be fused.
    pub(super) fn normed_linear(
        &mut self,
        norm: &Norm,
        weight: TensorId,
        bias: TensorId,
        output: LinearOutput,
    ) -> Result<bool, String> {
        if self.shards(weight)?.len() > 1 {
            return Ok(false);
        }
        let product = self.product(norm.out, weight, bias)?;
        let Some(product) = self.normed_product(norm, product, End::Product)? else { return Ok(false) };
        let prologue = self.normed_prologue(norm, product)?;
        self.linear_with(product, &prologue, weight, bias, output)
    }

    /// A product with the tile that it has behind a normalisation; `None` where they are not to be fused.
    pub(super) fn normed_product(&self, norm: &Norm, product: Product, end: End) -> Result<Option<Product>, String> {
        let shape = Shape::of_product(product.planes, product.rows, product.inputs, product.outputs);
        let chosen = shape.and_then(|shape| {
            self.choices.chains.get(&Chain { shape, end, residual: norm.residual.is_some() }).copied()
        });
        let usual = (product.rows <= self.tuning.normed_rows).then_some(product.tile);
        Ok(chosen.unwrap_or(usual).filter(|tile| tile.takes_norm()).map(|tile| Product { tile, ..product }))
    }

    /// What a product's kernel needs to normalise its rows for itself; `product` has the final tile.
    pub(super) fn normed_prologue(&self, norm: &Norm, product: Product) -> Result<Prologue, String> {
        let Product { rows, planes, inputs, tile, .. } = product;
        let Normed { rows: normed, width, epsilon, mut features, bindings } = self.normed_sizes(norm)?;
        same("normalised rows", normed, rows)?;
        same("normalised columns", width, inputs)?;
        features.insert(0, "NORMED");
        let words = tile.rows() * planes as usize * i8_stride(inputs) / 4;
        let params = vec![word(width)?, epsilon[0], epsilon[1]];
        let shared = tile.shared_bytes(planes) + 4 * words + 12 * tile.lanes as usize;
        Ok(Prologue { features, words: Some(word(words)?), params, bindings, shared })
    }
}
