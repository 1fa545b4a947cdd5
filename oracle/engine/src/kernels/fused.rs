//! A matrix product and what reads it in one kernel, where nobody else wants to see the product.
//!
//! Over few rows a kernel's start costs more than its work, and what is kept in registers need be neither written nor
//! read. Both kernels have pairs of fours of columns: gates and what they gate, or the two halves of a head.

use super::linear::{self, Product};
use super::{Lowering, Operand, gate, rotate_store, same, word};
use crate::gpu::Key;
use crate::plan::{BufferId, Cache, LinearOutput, Op, Plan, TensorId, i8_stride};

/// A product into a stream of 16 bits.
#[derive(Clone, Copy)]
struct Stream {
    x: BufferId,
    weight: TensorId,
    bias: TensorId,
    scale: TensorId,
    out: BufferId,
}

/// For each buffer how often the operations name it.
pub(super) fn mentions(plan: &Plan) -> Vec<usize> {
    let mut counts = vec![0; plan.buffers.len()];
    for id in plan.ops.iter().flat_map(Op::buffers) {
        if let Some(count) = counts.get_mut(id.0 as usize) {
            *count += 1;
        }
    }
    counts
}

impl Lowering<'_> {
    /// Lowers two neighbouring operations as one kernel, or gives `false` where that cannot be done or does not pay.
    pub(super) fn fused(&mut self, op: &Op, next: Option<&Op>) -> Result<bool, String> {
        let Op::Linear { x, weight, bias, output: LinearOutput::Int16 { scale, out } } = *op else { return Ok(false) };
        let stream = Stream { x, weight, bias, scale, out };
        match next {
            Some(&Op::Gate { x, table, out_scale, out }) if x == stream.out && self.is_passed_on(x) => {
                self.linear_gate(stream, table, out_scale, out)
            }
            Some(&Op::RotateStore { qkv, rows, table, cache, queries })
                if qkv == stream.out && self.is_passed_on(qkv) =>
            {
                self.linear_rotate_store(stream, rows, table, cache, queries)
            }
            _ => Ok(false),
        }
    }

    /// Whether a buffer is nothing but what one operation hands to another.
    fn is_passed_on(&self, id: BufferId) -> bool {
        let plan = self.plan;
        let kept = plan.inputs.iter().chain(&plan.state).chain(&plan.outputs).any(|&kept| kept == id);
        self.mentions.get(id.0 as usize) == Some(&2) && !kept
    }

    /// The product's sizes with a tile for pairs; `None` where it is not to be fused.
    fn paired(&self, stream: Stream) -> Result<Option<Product>, String> {
        let product = self.product(stream.x, stream.weight, stream.bias)?;
        same("scales", self.tensor_of(stream.scale, crate::artifact::Dtype::Scale)?.cols, product.outputs)?;
        same("columns of the output", self.buffer(stream.out)?.cols, product.outputs)?;
        same("rows of the output", self.buffer(stream.out)?.rows, product.rows)?;
        if product.rows > self.tuning.fused_rows || self.shards(stream.weight)?.len() > 1 {
            return Ok(None);
        }
        Ok(product.tile.paired(product.planes).map(|tile| Product { tile, ..product }))
    }

    /// Adds the kernel of a product, with what comes next, whose output has `stride` words a row; `sizes` and `bindings` are
    /// those of what comes next.
    fn pairs(
        &mut self,
        stream: Stream,
        product: Product,
        key: Key,
        [stride, pairs]: [usize; 2],
        sizes: &[u32],
        bindings: &[(u32, Operand)],
    ) -> Result<(), String> {
        let Product { rows, planes, inputs, outputs, tile } = product;
        // SAFETY: as for a product alone, the shader reads x at rows below `rows`, weights at rows below `outputs` and its
        // loop ends at the weight's row length; biases and scales are read below `outputs`, for every pair stands for
        // eight of the output's columns, or padding, for which nothing is read. What follows reads its own tensors where
        // `gate_sizes` and `turned_sizes` have compared their sizes: a table of 2^(16 - bits) + 1 entries at an argument
        // of 16 bits, scales below half of `outputs`, a row's fields below `rows`. It clamps angles and slots, which
        // come from the host, to their buffers, and writes rows below `rows` at words below `stride`.
        let key = unsafe { tile.key(key, planes).proved() };
        let mut params = vec![
            word(rows)?,
            word(outputs)?,
            word(outputs)?,
            0,
            word(i8_stride(inputs) / 16)?,
            word(stride)?,
            0,
            word(pairs)?,
        ];
        params.extend(sizes);
        let mut all = vec![
            (1, Operand::Buffer(stream.x)),
            (2, Operand::Shard(stream.weight, 0)),
            (3, Operand::Tensor(stream.bias)),
            (5, Operand::Tensor(stream.scale)),
        ];
        all.extend(bindings);
        self.dispatch(key, &params, &all, [pairs.div_ceil(tile.pairs()), rows.div_ceil(tile.rows()), 1])
    }

    fn linear_gate(
        &mut self,
        stream: Stream,
        table: TensorId,
        out_scale: TensorId,
        out: BufferId,
    ) -> Result<bool, String> {
        let gate::Gate { inner, stride, bits, .. } = self.gate_sizes(stream.out, table, out_scale, out)?;
        let Some(product) = self.paired(stream)? else { return Ok(false) };
        let key = linear::key(product.tile, product.planes).with("SCALED").with("PAIRED").with("GATED");
        let key = self.with_bytes(key, out)?;
        let bindings = [(4, Operand::Buffer(out)), (6, Operand::Tensor(table)), (7, Operand::Tensor(out_scale))];
        self.pairs(stream, product, key, [stride, i8_stride(inner) / 4], &[bits], &bindings)?;
        Ok(true)
    }

    fn linear_rotate_store(
        &mut self,
        stream: Stream,
        rows: BufferId,
        table: TensorId,
        cache: Cache,
        queries: BufferId,
    ) -> Result<bool, String> {
        let sizes = self.turned_sizes(stream.out, rows, table, cache, queries)?;
        let rotate_store::Turned { heads, half, stride, slot_stride, .. } = sizes;
        let Some(product) = self.paired(stream)? else { return Ok(false) };
        let key = linear::key(product.tile, product.planes).with("SCALED").with("PAIRED").with("TURNED");
        let params = [word(heads)?, word(cache.kv_heads)?, word(half)?, slot_stride];
        let bindings = [
            (4, Operand::Buffer(queries)),
            (6, Operand::Buffer(rows)),
            (7, Operand::Tensor(table)),
            (8, Operand::Buffer(cache.keys)),
            (9, Operand::Buffer(cache.values)),
        ];
        self.pairs(stream, product, key, [stride, product.outputs / 8], &params, &bindings)?;
        Ok(true)
    }
}
