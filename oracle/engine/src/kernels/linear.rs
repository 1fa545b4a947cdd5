//! Matrix products of signed bytes, with what follows them done while the sums are still in registers.

mod tile;

pub use tile::{Method, Shape, Tile};

use super::{Lowering, Operand, same, word};
use crate::artifact::{Dtype, TensorRef};
use crate::gpu::Key;
use crate::plan::{Buffer, BufferId, Element, LinearOutput, TensorId, i8_stride};

impl Lowering<'_> {
    pub(super) fn linear(
        &mut self,
        x: BufferId,
        weight: TensorId,
        bias: TensorId,
        output: LinearOutput,
    ) -> Result<(), String> {
        let product = self.product(x, weight, bias)?;
        self.linear_with(product, &Prologue::bytes(x), weight, bias, output).map(|_| ())
    }

    /// The same with what comes before it; `false` where it asks for more than the device has.
    pub(super) fn linear_with(
        &mut self,
        product: Product,
        prologue: &Prologue,
        weight: TensorId,
        bias: TensorId,
        output: LinearOutput,
    ) -> Result<bool, String> {
        let Product { rows, planes, inputs, outputs, tile } = product;
        let finish = self.finish(prologue.key(key(tile, planes)), output, outputs)?;
        let out = self.buffer(finish.out)?;
        same("rows of the output", out.rows, rows)?;
        same("columns of the output", out.cols, outputs)?;
        // A byte output has columns of padding, which are written, too.
        let (columns, out_stride) = match (finish.wide, out.element) {
            (false, Element::I8) => (out.stride(), out.stride() / 4),
            (true, Element::I32) => (out.cols, out.stride()),
            _ => return Err(format!("the output consists of {:?}", out.element)),
        };
        // SAFETY: the shader reads x at rows below `rows`, weights at rows below the shard's, biases and scales below
        // `outputs`, the table at `table_index(.., table_len)`, and writes rows below `rows` and columns below `columns`,
        // which are all the bound buffers' own sizes: `same` and `tensor_of` compared them above. Its loop ends at the
        // weight's row length. What it indexes in shared memory follows from the tile's sizes and an invocation's place,
        // and where that is for the driver to say, the shader limits it. What comes before is `Prologue`'s.
        let key = unsafe { prologue.constants(tile.key(finish.key, planes)).proved() };
        for (place, shard) in self.shards(weight)?.into_iter().enumerate() {
            // Padding belongs to the last shard.
            let columns = if shard.end == outputs { columns - shard.start } else { shard.len() };
            let mut params = vec![
                word(rows)?,
                word(shard.len())?,
                word(columns)?,
                word(shard.start)?,
                word(i8_stride(inputs) / 16)?,
                word(out_stride)?,
                word(finish.table_len)?,
            ];
            params.extend(&prologue.params);
            let mut bindings = vec![(2, Operand::Shard(weight, place)), (3, Operand::Tensor(bias))];
            bindings.extend(&prologue.bindings);
            bindings.extend(&finish.bindings);
            if !self.fits(prologue, &bindings) {
                return Ok(false);
            }
            let grid = [columns.div_ceil(tile.columns()), rows.div_ceil(tile.rows()), 1];
            self.dispatch(key.clone(), &params, &bindings, grid)?;
        }
        Ok(true)
    }

    /// Whether a kernel with such a prologue and these bindings asks for no more than the device has.
    pub(super) fn fits(&self, prologue: &Prologue, bindings: &[(u32, Operand)]) -> bool {
        // The parameters are bound, too.
        bindings.len() < self.tuning.storage_buffers as usize && prologue.shared <= self.tuning.workgroup_bytes as usize
    }

    /// The sizes of a matrix product, which fit each other, and its tile.
    pub(super) fn product(&self, x: BufferId, weight: TensorId, bias: TensorId) -> Result<Product, String> {
        let Buffer { element, rows, cols: inputs, .. } = *self.buffer(x)?;
        let planes = match element {
            Element::I8 => 1,
            Element::Split => 2,
            Element::I32 | Element::U32 => return Err("x does not consist of bytes".into()),
        };
        let outputs = self.tensor_of(weight, Dtype::I8)?.rows;
        same("inputs", self.tensor(weight)?.cols, inputs)?;
        same("biases", self.tensor_of(bias, Dtype::I32)?.cols, outputs)?;
        let measured =
            Shape::of_product(planes, rows, inputs, outputs).and_then(|shape| self.choices.tiles.get(&shape));
        let tile = measured.copied().unwrap_or_else(|| Tile::usual(&self.tuning, rows, planes));
        Ok(Product { rows, planes, inputs, outputs, tile })
    }

    /// A tensor, which must be of this type.
    pub(super) fn tensor_of(&self, id: TensorId, dtype: Dtype) -> Result<TensorRef<'_>, String> {
        let tensor = self.tensor(id)?;
        let wrong = || format!("{} consists of {:?}, and {dtype:?} is needed", tensor.name, tensor.dtype);
        if tensor.dtype == dtype { Ok(tensor) } else { Err(wrong()) }
    }

    /// What `output` asks of the kernel that `key` names so far.
    fn finish(&self, key: Key, output: LinearOutput, outputs: usize) -> Result<Finish, String> {
        let scales = |scale| same("scales", self.tensor_of(scale, Dtype::Scale)?.cols, outputs);
        let mut table_len = 0;
        let (key, wide, out, mut bindings) = match output {
            LinearOutput::Raw { out } => (key.with("OUT32"), true, out, vec![]),
            LinearOutput::Int16 { scale, out } => {
                scales(scale)?;
                (key.with("OUT32").with("SCALED"), true, out, vec![(5, Operand::Tensor(scale))])
            }
            LinearOutput::Wide { scale, out } => {
                scales(scale)?;
                (key.with("OUT32").with("SCALED").with("WIDE"), true, out, vec![(5, Operand::Tensor(scale))])
            }
            LinearOutput::Int8 { scale, relu, out } => {
                scales(scale)?;
                let key = key.with("SCALED");
                (if relu { key.with("RELU") } else { key }, false, out, vec![(5, Operand::Tensor(scale))])
            }
            LinearOutput::Table { in_scale, table, out_scale, out } => {
                scales(in_scale)?;
                same("scales out of the table", self.tensor_of(out_scale, Dtype::Scale)?.cols, outputs)?;
                table_len = self.tensor_of(table, Dtype::I32)?.cols;
                if table_len < 2 || !table_len.is_power_of_two() {
                    return Err(format!("a table of {table_len} entries; a power of two is needed"));
                }
                let tensors = [(5, in_scale), (6, table), (7, out_scale)];
                let bindings = tensors.map(|(binding, tensor)| (binding, Operand::Tensor(tensor))).to_vec();
                (key.with("SCALED").with("TABLE"), false, out, bindings)
            }
        };
        bindings.insert(0, (4, Operand::Buffer(out)));
        Ok(Finish { key, wide, out, bindings, table_len })
    }
}

/// A matrix product's sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) rows: usize,
    /// Rows of bytes for each row of x.
    pub(super) planes: u32,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// How it is computed.
    pub(super) tile: Tile,
}

/// How a product's kernel comes by x.
#[derive(Clone, Debug)]
pub(super) struct Prologue {
    pub(super) features: Vec<&'static str>,
    /// Words of shared memory for x, where it lies there.
    pub(super) words: Option<u32>,
    /// The parameters at the end of all.
    pub(super) params: Vec<u32>,
    pub(super) bindings: Vec<(u32, Operand)>,
    /// Bytes of shared memory in all, where x lies there.
    pub(super) shared: usize,
}

impl Prologue {
    /// The bytes of x are read as they are.
    pub(super) fn bytes(x: BufferId) -> Self {
        let bindings = vec![(1, Operand::Buffer(x))];
        Self { features: vec![], words: None, params: vec![], bindings, shared: 0 }
    }

    /// `key` with its features.
    pub(super) fn key(&self, key: Key) -> Key {
        self.features.iter().copied().fold(key, Key::with)
    }

    /// `key` with its constants. With x in shared memory, the shader reads rows below `rows` and columns below `width` of
    /// what `Lowering::normed_sizes` has compared, and indexes shared memory below `words`: as far as the loop over the
    /// weight's row goes, for each of the tile's rows and planes.
    pub(super) fn constants(&self, key: Key) -> Key {
        match self.words {
            Some(words) => key.constant("WORDS", words),
            None => key,
        }
    }
}

/// The beginning of a product's key.
pub(super) fn key(tile: Tile, planes: u32) -> Key {
    let key = Key::plain(tile.shader());
    if planes == 2 { key.with("SPLIT") } else { key }
}

/// What becomes of the accumulators, as the kernel sees it.
struct Finish {
    key: Key,
    /// Whether the outputs are words.
    wide: bool,
    out: BufferId,
    bindings: Vec<(u32, Operand)>,
    table_len: usize,
}
