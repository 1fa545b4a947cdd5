//! A product with the gate or the rotation that reads it. Both kernels have pairs of fours of columns: gates and what they
//! gate, or the two halves of a head.

use super::End;
use crate::gpu::Key;
use crate::kernels::linear::{self, Product, Prologue};
use crate::kernels::rms_norm::Norm;
use crate::kernels::{Lowering, Operand, gate, rotate_store, same, word};
use crate::plan::{BufferId, Cache, TensorId, i8_stride};

/// A product into a stream of 16 bits.
#[derive(Clone, Copy)]
pub(super) struct Stream {
    pub(super) x: BufferId,
    pub(super) weight: TensorId,
    pub(super) bias: TensorId,
    pub(super) scale: TensorId,
    pub(super) out: BufferId,
}

/// What reads a product in its kernel.
struct Next<'a> {
    features: Vec<&'static str>,
    /// Words from one row of the output to the next.
    stride: usize,
    /// Pairs of fours of columns.
    pairs: usize,
    sizes: &'a [u32],
    bindings: &'a [(u32, Operand)],
}

impl Lowering<'_> {
    /// The product's sizes with a tile for pairs, and what comes before it; `None` where it is not to be fused.
    fn paired(&self, norm: Option<&Norm>, stream: Stream, end: End) -> Result<Option<(Product, Prologue)>, String> {
        let product = self.product(stream.x, stream.weight, stream.bias)?;
        same("scales", self.tensor_of(stream.scale, crate::artifact::Dtype::Scale)?.cols, product.outputs)?;
        same("columns of the output", self.buffer(stream.out)?.cols, product.outputs)?;
        same("rows of the output", self.buffer(stream.out)?.rows, product.rows)?;
        if product.rows > self.tuning.fused_rows || self.shards(stream.weight)?.len() > 1 {
            return Ok(None);
        }
        let pairs = |product: Product| product.tile.paired(product.planes).map(|tile| Product { tile, ..product });
        let Some(norm) = norm else { return Ok(pairs(product).map(|product| (product, Prologue::bytes(stream.x)))) };
        match self.normed_product(norm, product, end)?.and_then(pairs) {
            Some(product) => Ok(Some((product, self.normed_prologue(norm, product)?))),
            None => Ok(None),
        }
    }

    /// Adds the kernel of a product with what comes before it and what comes next; `false` where it asks for more than the
    /// device has.
    fn pairs(
        &mut self,
        stream: Stream,
        (product, prologue): (Product, Prologue),
        next: &Next<'_>,
    ) -> Result<bool, String> {
        let Product { rows, planes, inputs, outputs, tile } = product;
        let mut params = vec![
            word(rows)?,
            word(outputs)?,
            word(outputs)?,
            0,
            word(i8_stride(inputs) / 16)?,
            word(next.stride)?,
            0,
            word(next.pairs)?,
        ];
        params.extend(next.sizes);
        params.extend(&prologue.params);
        let mut all = vec![
            (2, Operand::Shard(stream.weight, 0)),
            (3, Operand::Tensor(stream.bias)),
            (5, Operand::Tensor(stream.scale)),
        ];
        all.extend(&prologue.bindings);
        all.extend(next.bindings);
        if !self.fits(&prologue, &all) {
            return Ok(false);
        }
        let key = prologue.key(linear::key(tile, planes)).with("SCALED").with("PAIRED");
        let key = next.features.iter().copied().fold(key, Key::with);
        // SAFETY: as for a product alone, the shader reads x at rows below `rows`, weights at rows below `outputs` and its
        // loop ends at the weight's row length; biases and scales are read below `outputs`, for every pair stands for
        // eight of the output's columns, or padding, for which nothing is read. What follows reads its own tensors where
        // `gate_sizes` and `turned_sizes` have compared their sizes: a table of 2^(16 - bits) + 1 entries at an argument
        // of 16 bits, scales below half of `outputs`, a row's fields below `rows`. It clamps angles and slots, which
        // come from the host, to their buffers, and writes rows below `rows` at words below `stride`. What comes before
        // is `Prologue`'s.
        let key = unsafe { prologue.constants(tile.key(key, planes)).proved() };
        self.dispatch(key, &params, &all, [next.pairs.div_ceil(tile.pairs()), rows.div_ceil(tile.rows()), 1])?;
        Ok(true)
    }

    pub(super) fn linear_gate(
        &mut self,
        norm: Option<&Norm>,
        stream: Stream,
        table: TensorId,
        out_scale: TensorId,
        out: BufferId,
    ) -> Result<bool, String> {
        let gate::Gate { inner, stride, bits, .. } = self.gate_sizes(stream.out, table, out_scale, out)?;
        let Some(product) = self.paired(norm, stream, End::Gate)? else { return Ok(false) };
        let mut features = vec!["GATED"];
        features.extend(self.split_out(out)?);
        let bindings = [(4, Operand::Buffer(out)), (6, Operand::Tensor(table)), (7, Operand::Tensor(out_scale))];
        let next = Next { features, stride, pairs: i8_stride(inner) / 4, sizes: &[bits], bindings: &bindings };
        self.pairs(stream, product, &next)
    }

    pub(super) fn linear_rotate_store(
        &mut self,
        norm: Option<&Norm>,
        stream: Stream,
        rows: BufferId,
        table: TensorId,
        cache: Cache,
        queries: BufferId,
    ) -> Result<bool, String> {
        let sizes = self.turned_sizes(stream.out, rows, table, cache, queries)?;
        let rotate_store::Turned { heads, half, stride, slot_stride, .. } = sizes;
        let Some(product) = self.paired(norm, stream, End::Rotation)? else { return Ok(false) };
        let pairs = product.0.outputs / 8;
        let params = [word(heads)?, word(cache.kv_heads)?, word(half)?, slot_stride];
        let bindings = [
            (4, Operand::Buffer(queries)),
            (6, Operand::Buffer(rows)),
            (7, Operand::Tensor(table)),
            (8, Operand::Buffer(cache.keys)),
            (9, Operand::Buffer(cache.values)),
        ];
        let next = Next { features: vec!["TURNED"], stride, pairs, sizes: &params, bindings: &bindings };
        self.pairs(stream, product, &next)
    }
}
