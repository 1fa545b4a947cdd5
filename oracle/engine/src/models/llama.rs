//! Decoders built like Llama: root-mean-square normalisation before each part, rotary positions, grouped queries, a
//! gated feed-forward part.
//!
//! One plan serves prefill, decode and mixtures of both: each row is one token of one sequence, and keys and values lie
//! in pages of [`PAGE`] slots.

pub mod parts;
mod tensors;

use provena_arith::fixed::EXP_ONE;

use super::scope::{Linear, Scope};
use crate::{
    artifact::{Activations, Artifact, Dtype, LlamaRecipe},
    error::Error,
    plan::{Buffer, BufferId, Cache, Element, LinearOutput, Op, Plan, ROW_FIELDS, SAMPLE_FIELDS, TensorId},
};
use tensors::{Layer, Tables, wide_word};

/// Slots of a page. Page 0 belongs to no sequence: rows that only fill a plan up write there.
pub const PAGE: usize = 16;

/// The sizes of one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Tokens that are computed.
    pub rows: usize,
    /// Sequences that they belong to: rows of the page table.
    pub sequences: usize,
    /// Pages of the longest sequence: columns of the page table.
    pub pages: usize,
    /// Rows whose next token is wanted.
    pub picks: usize,
    /// Slots of the cache.
    pub slots: usize,
    /// Whether the logits are read, too.
    pub logits: bool,
}

/// A decoder whose tensors were found and checked.
pub struct Llama {
    recipe: LlamaRecipe,
    embed: TensorId,
    embed_scale: TensorId,
    tables: Tables,
    sampling_table: TensorId,
    layers: Vec<Layer>,
    final_gain: TensorId,
    head: Linear,
    unit: u64,
}

impl Llama {
    /// Finds every tensor of the recipe and checks the tables' ranges.
    ///
    /// # Errors
    /// [`Error::Tensor`] for the first that is missing, of another shape or beyond its range.
    pub fn new(artifact: &Artifact, recipe: &LlamaRecipe) -> Result<Self, Error> {
        let [width, vocabulary] = [recipe.width, recipe.vocabulary].map(|n| n as usize);
        let scope = |prefix: &str| Scope::new(artifact, prefix);
        let embed = scope("embed").matrix("weight", Dtype::I8, vocabulary, width)?;
        let head = scope("head");
        let weight = if recipe.tied { embed } else { head.matrix("weight", Dtype::I8, vocabulary, width)? };
        let mut layers = Vec::with_capacity(recipe.layers as usize);
        for i in 0..recipe.layers {
            layers.push(Layer::find(&Scope::new(artifact, super::layer_prefix(i as usize)), recipe)?);
        }
        Ok(Self {
            recipe: recipe.clone(),
            embed,
            embed_scale: scope("embed").vector("scale", Dtype::Scale, vocabulary)?,
            tables: Tables::find(artifact, recipe)?,
            sampling_table: scope("sampling").weights("exp.table", EXP_ONE)?,
            layers,
            final_gain: scope("final").vector("gain", Dtype::Scale, width)?,
            head: Linear {
                weight,
                bias: head.vector("bias", Dtype::I32, vocabulary)?,
                scale: head.vector("scale", Dtype::Scale, vocabulary)?,
            },
            unit: wide_word(artifact, "head.unit", 64)?.1,
        })
    }

    /// The sizes of the model.
    pub fn recipe(&self) -> &LlamaRecipe {
        &self.recipe
    }

    /// The table of the weights that tokens are drawn by.
    pub fn sampling_table(&self) -> TensorId {
        self.sampling_table
    }

    /// The real amount of one step of a logit, in entries of the sampling table at a temperature of one, with 40
    /// fraction bits.
    pub fn unit(&self) -> u64 {
        self.unit
    }

    /// What the plans for so many slots keep between executions: keys and values of each layer.
    pub fn state(&self, slots: usize) -> Vec<Buffer> {
        (0..self.layers.len()).flat_map(|i| cache(&self.recipe, i, slots)).collect()
    }

    /// The plan for one shape.
    ///
    /// Inputs: rows `U32 [rows][4]` (token, position, slot, sequence), pages `U32 [sequences][pages]`,
    /// picks `U32 [picks][1]`, parameters `U32 [picks][4]` as [`Op::Sample`] has them. State: [`Llama::state`].
    /// Outputs: tokens `U32 [picks][1]` and, where `shape.logits`, logits (wide stream) `[picks][vocabulary]`.
    pub fn plan(&self, shape: Shape) -> Plan {
        let mut plan = Plan::default();
        let rows = plan.buffer("rows", Element::U32, shape.rows, ROW_FIELDS);
        let pages = plan.buffer("pages", Element::U32, shape.sequences, shape.pages);
        let picks = plan.buffer("picks", Element::U32, shape.picks, 1);
        let params = plan.buffer("params", Element::U32, shape.picks, SAMPLE_FIELDS);
        plan.inputs = vec![rows, pages, picks, params];
        for Buffer { name, element, rows, cols } in self.state(shape.slots) {
            let id = plan.buffer(name, element, rows, cols);
            plan.state.push(id);
        }
        let width = self.recipe.width as usize;
        let mut build = Builder { plan, recipe: &self.recipe, epsilon: self.tables.epsilon };
        let mut stream = build.wide("embed", shape.rows, width);
        build.plan.push(Op::Lookup { rows, weight: self.embed, scale: self.embed_scale, out: stream });
        let mut added = None;
        for (i, layer) in self.layers.iter().enumerate() {
            let state = [build.plan.state[2 * i], build.plan.state[2 * i + 1]];
            let place = Place { rows, pages, state, tables: self.tables };
            let (goes_on, down) = build.layer(&super::layer_prefix(i), layer, place, stream, added);
            (stream, added) = (goes_on, Some(down));
        }
        let x = build.gather("picked.stream", picks, stream);
        let added = added.map(|added| build.gather("picked.added", picks, added));
        let logits = build.logits(self.final_gain, self.head, self.recipe.vocabulary as usize, x, added);
        let tokens = build.plan.buffer("tokens", Element::U32, shape.picks, 1);
        build.plan.push(Op::Sample { logits, params, exp_table: self.sampling_table, out: tokens });
        build.plan.outputs = if shape.logits { vec![tokens, logits] } else { vec![tokens] };
        build.plan
    }
}

/// The keys and the values of layer `i`, in so many slots.
fn cache(recipe: &LlamaRecipe, i: usize, slots: usize) -> [Buffer; 2] {
    let cols = (recipe.kv_heads * recipe.depth) as usize;
    ["keys", "values"].map(|what| Buffer { name: format!("{what}.{i:03}"), element: Element::I8, rows: slots, cols })
}

/// A plan under construction.
struct Builder<'a> {
    plan: Plan,
    recipe: &'a LlamaRecipe,
    epsilon: TensorId,
}

/// What a layer needs to know of its rows.
#[derive(Clone, Copy)]
struct Place {
    rows: BufferId,
    pages: BufferId,
    /// Its keys and values.
    state: [BufferId; 2],
    tables: Tables,
}

impl Builder<'_> {
    fn wide(&mut self, name: impl Into<String>, rows: usize, cols: usize) -> BufferId {
        self.plan.buffer(name, Element::I32, rows, cols)
    }

    /// What a matrix product reads.
    fn bytes(&mut self, name: impl Into<String>, rows: usize, cols: usize) -> BufferId {
        let element = match self.recipe.activations {
            Activations::Bytes => Element::I8,
            Activations::Split => Element::Split,
        };
        self.plan.buffer(name, element, rows, cols)
    }

    fn linear(&mut self, x: BufferId, linear: Linear, output: LinearOutput) {
        self.plan.push(Op::Linear { x, weight: linear.weight, bias: linear.bias, output });
    }

    fn gather(&mut self, name: &str, picks: BufferId, x: BufferId) -> BufferId {
        let out = self.wide(name, self.plan.get(picks).rows, self.plan.get(x).cols);
        self.plan.push(Op::Gather { x, picks, out });
        out
    }

    /// A normalisation of the stream and what is added to it; gives the stream that goes on, and the bytes.
    fn norm(
        &mut self,
        name: &str,
        gain: TensorId,
        stream: BufferId,
        added: Option<BufferId>,
        goes_on: bool,
    ) -> (BufferId, BufferId) {
        let Buffer { rows, cols, .. } = *self.plan.get(stream);
        let out = self.bytes(name, rows, cols);
        let sum = (added.is_some() && goes_on).then(|| self.wide(format!("{name}.sum"), rows, cols));
        self.plan.push(Op::RmsNorm {
            x: added.unwrap_or(stream),
            residual: added.map(|_| stream),
            gain,
            epsilon: self.epsilon,
            sum,
            out,
        });
        (sum.unwrap_or(stream), out)
    }

    /// The logits of rows of the stream and what is still to be added to it, for the words of a head.
    fn logits(
        &mut self,
        gain: TensorId,
        head: Linear,
        words: usize,
        stream: BufferId,
        added: Option<BufferId>,
    ) -> BufferId {
        let rows = self.plan.get(stream).rows;
        let (_, bytes) = self.norm("final", gain, stream, added, false);
        let out = self.wide("logits", rows, words);
        self.linear(bytes, head, LinearOutput::Wide { scale: head.scale, out });
        out
    }

    /// One layer: gives the stream and what is still to be added to it.
    fn layer(
        &mut self,
        name: &str,
        layer: &Layer,
        Place { rows: which, pages, state: [keys, values], tables }: Place,
        stream: BufferId,
        added: Option<BufferId>,
    ) -> (BufferId, BufferId) {
        let recipe = self.recipe;
        let [width, inner, heads] = [recipe.width, recipe.inner, recipe.heads].map(|n| n as usize);
        let [kv_heads, depth, window] = [recipe.kv_heads, recipe.depth, recipe.window].map(|n| n as usize);
        let rows = self.plan.get(which).rows;
        let (stream, bytes) = self.norm(&format!("{name}.norm1"), layer.norm1, stream, added, true);
        let qkv = self.wide(format!("{name}.qkv"), rows, (heads + 2 * kv_heads) * depth);
        self.linear(bytes, layer.qkv, LinearOutput::Int16 { scale: layer.qkv.scale, out: qkv });
        let cache = Cache { keys, values, kv_heads, depth, page: PAGE };
        let queries = self.plan.buffer(format!("{name}.queries"), Element::Split, rows, heads * depth);
        self.plan.push(Op::RotateStore { qkv, rows: which, table: tables.rotation, cache, queries });
        let context = self.bytes(format!("{name}.context"), rows, heads * depth);
        self.plan.push(Op::CachedAttention {
            queries,
            rows: which,
            pages,
            cache,
            heads,
            window,
            score_scale: layer.score_scale,
            exp_table: tables.exp,
            context_scale: layer.context_scale,
            out: context,
        });
        let attended = self.wide(format!("{name}.output"), rows, width);
        self.linear(context, layer.output, LinearOutput::Wide { scale: layer.output.scale, out: attended });
        let (stream, bytes) = self.norm(&format!("{name}.norm2"), layer.norm2, stream, Some(attended), true);
        let up = self.wide(format!("{name}.up"), rows, 2 * inner);
        self.linear(bytes, layer.up, LinearOutput::Int16 { scale: layer.up.scale, out: up });
        let gated = self.bytes(format!("{name}.gate"), rows, inner);
        self.plan.push(Op::Gate { x: up, table: layer.gate_table, out_scale: layer.gate_scale, out: gated });
        let down = self.wide(format!("{name}.down"), rows, width);
        self.linear(gated, layer.down, LinearOutput::Wide { scale: layer.down.scale, out: down });
        (stream, down)
    }
}
