//! BERT sentence encoders: post-normalised layers, the mean over tokens, length one.

pub mod parts;

use provena_wire::Response;

use super::{
    Input,
    scope::{Linear, Scope},
};
use crate::{
    artifact::{Artifact, BertRecipe, Dtype},
    error::Error,
    patience::Patience,
    plan::{BufferId, Element, LinearOutput, Op, Plan, Quantise, TensorId},
    reference::UNIT_BITS,
    tokenizer::Tokenizer,
    values::Values,
};

/// An encoder whose tensors were found and whose tokenizer was read.
pub struct Bert {
    sizes: Sizes,
    tokenizer: Tokenizer,
    words: TensorId,
    positions: TensorId,
    first: Norm,
    layers: Vec<Layer>,
    exp_table: TensorId,
}

/// What the shapes of all activations follow from.
#[derive(Clone, Copy)]
struct Sizes {
    width: usize,
    inner: usize,
    heads: usize,
}

impl Sizes {
    fn new(recipe: &BertRecipe) -> Self {
        let [width, inner, heads] = [recipe.width, recipe.inner, recipe.heads].map(|n| n as usize);
        Self { width, inner, heads }
    }
}

/// The tensors of a normalisation.
struct Norm {
    gain: TensorId,
    bias: TensorId,
    /// Absent after the last layer, which no matrix product follows.
    scale: Option<TensorId>,
}

struct Layer {
    qkv: Linear,
    score_scale: TensorId,
    context_scale: TensorId,
    output: Linear,
    norm1: Norm,
    up: Linear,
    table: TensorId,
    table_scale: TensorId,
    down: Linear,
    norm2: Norm,
}

/// Finds the tensors of a normalisation.
fn norm(scope: &Scope<'_>, part: &str, width: usize, quantised: bool) -> Result<Norm, Error> {
    let scale = || scope.vector(&format!("{part}.scale"), Dtype::Scale, width);
    Ok(Norm {
        gain: scope.vector(&format!("{part}.gain"), Dtype::Scale, width)?,
        bias: scope.vector(&format!("{part}.bias"), Dtype::I32, width)?,
        scale: quantised.then(scale).transpose()?,
    })
}

impl Layer {
    fn find(artifact: &Artifact, recipe: &BertRecipe, i: u32) -> Result<Self, Error> {
        let Sizes { width, inner, heads } = Sizes::new(recipe);
        let layer = Scope::new(artifact, super::layer_prefix(i as usize));
        Ok(Self {
            qkv: layer.linear("qkv", 3 * width, width)?,
            score_scale: layer.vector("score.scale", Dtype::Scale, heads)?,
            context_scale: layer.vector("context.scale", Dtype::Scale, width)?,
            output: layer.linear("output", width, width)?,
            norm1: norm(&layer, "norm1", width, true)?,
            up: layer.linear("up", inner, width)?,
            table: layer.table("gelu.table")?,
            table_scale: layer.vector("gelu.scale", Dtype::Scale, inner)?,
            down: layer.linear("down", width, inner)?,
            norm2: norm(&layer, "norm2", width, i + 1 < recipe.layers)?,
        })
    }
}

impl Bert {
    /// Finds every tensor of the recipe.
    ///
    /// # Errors
    /// [`Error::Tensor`] for the first that is missing or of another shape, [`Error::Tokenizer`] for a bad tokenizer.
    pub fn new(artifact: &Artifact, recipe: &BertRecipe) -> Result<Self, Error> {
        let width = recipe.width as usize;
        let embed = Scope::new(artifact, "embed");
        let matrix = |name: &str, rows: u32| artifact.find(name, Dtype::I16, rows as usize, width);
        let mut layers = Vec::new();
        for i in 0..recipe.layers {
            layers.push(Layer::find(artifact, recipe, i)?);
        }
        Ok(Self {
            sizes: Sizes::new(recipe),
            tokenizer: Tokenizer::new(artifact.tokenizer(), recipe.vocabulary, recipe.max_tokens)?,
            words: matrix("embed.words", recipe.vocabulary)?,
            positions: matrix("embed.positions", recipe.positions)?,
            first: norm(&embed, "norm", width, true)?,
            layers,
            exp_table: Scope::new(artifact, "attention").table("exp.table")?,
        })
    }

    /// One text of `tokens` tokens: a vector of length one.
    pub fn plan(&self, tokens: usize) -> Plan {
        let mut plan = Plan::default();
        let ids = plan.buffer("tokens", Element::U32, tokens, 1);
        plan.inputs = vec![ids];
        let mut build = Builder { plan, tokens, sizes: self.sizes };
        let (mut stream, mut bytes) = build.begin(ids, self.words, self.positions, &self.first);
        for (i, layer) in self.layers.iter().enumerate() {
            (stream, bytes) = build.layer(&super::layer_prefix(i), layer, self.exp_table, stream, bytes);
        }
        build.end(stream);
        build.plan
    }

    /// The texts' tokens.
    pub(super) fn inputs(&self, texts: &[String]) -> Result<Vec<Input>, Error> {
        if texts.is_empty() {
            return Err(Error::Request("it has no texts".into()));
        }
        let patience = Patience::new();
        let encode = |(index, text): (usize, &String)| {
            let ids = self.tokenizer.encode_within(index, text, patience)?;
            Ok(Input { size: ids.len(), values: Values::U32(ids) })
        };
        texts.iter().enumerate().map(encode).collect()
    }

    pub(super) fn response(outputs: &[Vec<Values>]) -> Response {
        let vector = |values: &Vec<Values>| values[0].as_i32().iter().map(|v| *v as i16).collect();
        Response::Embed { vectors: outputs.iter().map(vector).collect(), shift: UNIT_BITS as i8 }
    }
}

/// A plan under construction for a fixed number of tokens.
struct Builder {
    plan: Plan,
    tokens: usize,
    sizes: Sizes,
}

impl Builder {
    fn bytes(&mut self, name: String, cols: usize) -> BufferId {
        self.plan.buffer(name, Element::I8, self.tokens, cols)
    }

    fn stream(&mut self, name: String) -> BufferId {
        self.plan.buffer(name, Element::I32, self.tokens, self.sizes.width)
    }

    fn linear(&mut self, x: BufferId, linear: &Linear, output: LinearOutput) {
        self.plan.push(Op::Linear { x, weight: linear.weight, bias: linear.bias, output });
    }

    /// A matrix product back into the stream.
    fn project(&mut self, name: String, x: BufferId, linear: &Linear) -> BufferId {
        let out = self.stream(name);
        self.linear(x, linear, LinearOutput::Int16 { scale: linear.scale, out });
        out
    }

    /// A normalisation; gives the stream and its bytes, which are the stream itself where nothing reads bytes.
    fn norm(&mut self, name: &str, norm: &Norm, x: BufferId, residual: Option<BufferId>) -> (BufferId, BufferId) {
        let out = self.stream(name.into());
        let quantised =
            norm.scale.map(|scale| Quantise { scale, out: self.bytes(format!("{name}.bytes"), self.sizes.width) });
        self.plan.push(Op::Norm { x, residual, gain: norm.gain, bias: norm.bias, out, quantised });
        (out, quantised.map_or(out, |q| q.out))
    }

    /// What comes before the layers; gives the residual stream and its bytes.
    fn begin(&mut self, ids: BufferId, words: TensorId, positions: TensorId, first: &Norm) -> (BufferId, BufferId) {
        let embedded = self.stream("embed".into());
        self.plan.push(Op::Embed { ids, words, positions, out: embedded });
        self.norm("embed.norm", first, embedded, None)
    }

    /// One layer; gives the new residual stream and its bytes.
    fn layer(
        &mut self,
        name: &str,
        layer: &Layer,
        exp_table: TensorId,
        stream: BufferId,
        bytes: BufferId,
    ) -> (BufferId, BufferId) {
        let Sizes { width, inner, heads } = self.sizes;
        let qkv = self.bytes(format!("{name}.qkv"), 3 * width);
        let output = LinearOutput::Int8 { scale: layer.qkv.scale, relu: false, out: qkv };
        self.linear(bytes, &layer.qkv, output);
        let context = self.bytes(format!("{name}.context"), width);
        self.plan.push(Op::Attention {
            qkv,
            heads,
            score_scale: layer.score_scale,
            exp_table,
            context_scale: layer.context_scale,
            out: context,
        });
        let attended = self.project(format!("{name}.output"), context, &layer.output);
        let (stream, bytes) = self.norm(&format!("{name}.norm1"), &layer.norm1, attended, Some(stream));
        let up = self.bytes(format!("{name}.up"), inner);
        let (in_scale, out_scale) = (layer.up.scale, layer.table_scale);
        self.linear(bytes, &layer.up, LinearOutput::Table { in_scale, table: layer.table, out_scale, out: up });
        let down = self.project(format!("{name}.down"), up, &layer.down);
        self.norm(&format!("{name}.norm2"), &layer.norm2, down, Some(stream))
    }

    /// The vector of what the last layer leaves, which is the plan's output.
    fn end(&mut self, stream: BufferId) {
        let width = self.sizes.width;
        let pooled = self.plan.buffer("pooled", Element::I32, 1, width);
        self.plan.push(Op::SumRows { x: stream, out: pooled });
        let vector = self.plan.buffer("vector", Element::I32, 1, width);
        self.plan.push(Op::Unit { x: pooled, out: vector });
        self.plan.outputs = vec![vector];
    }
}
