//! Decoders built like Llama, in floats, layer by layer.

mod attention;
mod config;
mod rotation;

use rayon::prelude::*;

use super::linear;
use crate::{error::Error, format::Weights};
pub use config::{DEFAULT_CONTEXT, LlamaConfig};
pub use rotation::Rotation;

/// A matrix product.
pub struct FloatLinear {
    /// `[outputs][inputs]`.
    pub weight: Vec<f32>,
    /// `[outputs]`; zeros where the model has none.
    pub bias: Vec<f32>,
}

impl FloatLinear {
    /// x `[rows][inputs]` becomes `[rows][outputs]`.
    fn run(&self, x: &[f32]) -> Vec<f32> {
        linear(x, &self.weight, &self.bias)
    }
}

/// The weights of one layer.
pub struct FloatLayer {
    /// `[width]`: before attention.
    pub norm1: Vec<f32>,
    /// Queries, keys and values: `[(heads + 2 * kv_heads) * depth][width]`.
    pub qkv: FloatLinear,
    /// `[width][heads * depth]`.
    pub output: FloatLinear,
    /// `[width]`: before the feed-forward part.
    pub norm2: Vec<f32>,
    /// What the activation takes, then what it gates: `[2 * inner][width]`.
    pub up: FloatLinear,
    /// `[width][inner]`.
    pub down: FloatLinear,
}

/// A place in a layer whose values calibration looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Site {
    /// The residual stream: what a layer is given, and after each of its parts.
    Stream,
    /// What attention reads: the stream, normalised. `[width]`
    Normed1,
    /// Queries, keys and values before they are turned. `[(heads + 2 * kv_heads) * depth]`
    Qkv,
    /// The lengths of the pairs of queries and keys, which no rotation changes. `[(heads + kv_heads) * depth / 2]`
    Pairs,
    /// Attention's context. `[heads * depth]`
    Context,
    /// What attention adds to the stream. `[width]`
    Output,
    /// What the feed-forward part reads: the stream, normalised. `[width]`
    Normed2,
    /// What the activation takes, then what it gates. `[2 * inner]`
    Up,
    /// The two multiplied. `[inner]`
    Gated,
    /// What the feed-forward part adds to the stream. `[width]`
    Down,
    /// What the logits are made of: the stream after the last layer, normalised. `[width]`
    Final,
    /// The logits. `[vocabulary]`
    Logits,
}

/// Called with the rows at each site.
pub type Observe<'a> = dyn FnMut(Site, &[f32]) + 'a;

/// A decoder, whose weights are read when they are needed.
pub struct FloatLlama<'a> {
    /// Its sizes.
    pub config: LlamaConfig,
    weights: &'a Weights,
}

/// SiLU: x / (1 + exp(-x)).
pub fn silu(x: f64) -> f64 {
    x / (1.0 + (-x).exp())
}

impl<'a> FloatLlama<'a> {
    /// Checks that every tensor is there by the name that the `transformers` library gives it, that each has its shape
    /// and that the layers hold nothing else.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] for the first that is missing, of another shape or unknown.
    pub fn new(weights: &'a Weights, config: LlamaConfig) -> Result<Self, Error> {
        let model = Self { config, weights };
        let config = &model.config;
        let [width, vocabulary, inner] = [config.width, config.vocabulary, config.inner];
        let [queries, keys] = [config.heads, config.kv_heads].map(|heads| heads * config.depth);
        weights.check("model.embed_tokens.weight", &[vocabulary, width])?;
        weights.check("model.norm.weight", &[width])?;
        if !config.tied {
            weights.check("lm_head.weight", &[vocabulary, width])?;
        }
        for i in 0..config.layers {
            for norm in ["input_layernorm", "post_attention_layernorm"] {
                weights.check(&format!("{}.{norm}.weight", at(i)), &[width])?;
            }
            for (name, outputs, inputs) in [
                ("self_attn.q_proj", queries, width),
                ("self_attn.k_proj", keys, width),
                ("self_attn.v_proj", keys, width),
                ("self_attn.o_proj", width, queries),
                ("mlp.gate_proj", inner, width),
                ("mlp.up_proj", inner, width),
                ("mlp.down_proj", width, inner),
            ] {
                weights.check(&format!("{}.{name}.weight", at(i)), &[outputs, inputs])?;
                let bias = format!("{}.{name}.bias", at(i));
                if weights.shape(&bias).is_some() {
                    weights.check(&bias, &[outputs])?;
                }
            }
        }
        model.check_nothing_else()?;
        Ok(model)
    }

    /// A layer with further weights would be computed wrongly without them.
    fn check_nothing_else(&self) -> Result<(), Error> {
        const KNOWN: [&str; 10] = [
            "input_layernorm.weight",
            "post_attention_layernorm.weight",
            "self_attn.q_proj.",
            "self_attn.k_proj.",
            "self_attn.v_proj.",
            "self_attn.o_proj.",
            "self_attn.rotary_emb.inv_freq",
            "mlp.gate_proj.",
            "mlp.up_proj.",
            "mlp.down_proj.",
        ];
        for name in self.weights.names() {
            let Some((layer, part)) = name.strip_prefix("model.layers.").and_then(|rest| rest.split_once('.')) else {
                continue;
            };
            if layer.parse::<usize>().is_ok_and(|i| i >= self.config.layers) {
                let reason = format!("config.json says that there are {} layers", self.config.layers);
                return Err(Error::import_tensor(name, reason));
            }
            if !KNOWN.iter().any(|known| part.starts_with(known)) {
                return Err(Error::import_tensor(name, "has no place in a model built like Llama"));
            }
        }
        Ok(())
    }

    /// Reads one layer.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] for a weight that is not finite, [`Error::File`] when the file cannot be read; so too for
    /// all that follow.
    pub fn layer(&self, i: usize) -> Result<FloatLayer, Error> {
        let LlamaConfig { width, inner, heads, kv_heads, depth, .. } = self.config;
        let [queries, keys] = [heads, kv_heads].map(|heads| heads * depth);
        let norm = |name: &str| self.weights.read(&format!("{}.{name}.weight", at(i)), &[width]);
        let dense = |parts: &[(&str, usize)], inputs: usize| {
            let mut all = FloatLinear { weight: vec![], bias: vec![] };
            for (name, outputs) in parts {
                let name = format!("{}.{name}", at(i));
                all.weight.extend(self.weights.read(&format!("{name}.weight"), &[*outputs, inputs])?);
                let bias = format!("{name}.bias");
                match self.weights.shape(&bias) {
                    Some(_) => all.bias.extend(self.weights.read(&bias, &[*outputs])?),
                    None => all.bias.resize(all.bias.len() + outputs, 0.0),
                }
            }
            Ok::<_, Error>(all)
        };
        let qkv = [("self_attn.q_proj", queries), ("self_attn.k_proj", keys), ("self_attn.v_proj", keys)];
        Ok(FloatLayer {
            norm1: norm("input_layernorm")?,
            qkv: dense(&qkv, width)?,
            output: dense(&[("self_attn.o_proj", width)], queries)?,
            norm2: norm("post_attention_layernorm")?,
            up: dense(&[("mlp.gate_proj", inner), ("mlp.up_proj", inner)], width)?,
            down: dense(&[("mlp.down_proj", width)], inner)?,
        })
    }

    /// `[width]`: the gain of the last normalisation.
    ///
    /// # Errors
    /// As for [`FloatLlama::layer`].
    pub fn final_norm(&self) -> Result<Vec<f32>, Error> {
        self.weights.read("model.norm.weight", &[self.config.width])
    }

    /// Some rows of the word table: `[rows][width]`.
    ///
    /// # Errors
    /// As for [`FloatLlama::layer`]; also for rows that the table does not have.
    pub fn words(&self, rows: std::ops::Range<usize>) -> Result<Vec<f32>, Error> {
        self.weights.read_rows("model.embed_tokens.weight", rows)
    }

    /// Some rows of the weight that gives the logits: `[rows][width]`.
    ///
    /// # Errors
    /// As for [`FloatLlama::words`].
    pub fn head(&self, rows: std::ops::Range<usize>) -> Result<Vec<f32>, Error> {
        if self.config.tied { self.words(rows) } else { self.weights.read_rows("lm_head.weight", rows) }
    }

    /// The residual stream before the first layer: `[tokens][width]`.
    ///
    /// # Errors
    /// As for [`FloatLlama::words`].
    pub fn embed(&self, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        let mut stream = Vec::with_capacity(tokens.len() * self.config.width);
        for token in tokens {
            let row = *token as usize;
            stream.extend(self.words(row..row + 1)?);
        }
        Ok(stream)
    }

    /// Takes the residual stream of one whole sequence, `[tokens][width]`, through a layer.
    pub fn forward(&self, layer: &FloatLayer, stream: &mut [f32], observe: &mut Observe<'_>) {
        observe(Site::Stream, stream);
        let normed = self.normalise(stream, &layer.norm1);
        observe(Site::Normed1, &normed);
        let mut qkv = layer.qkv.run(&normed);
        observe(Site::Qkv, &qkv);
        observe(Site::Pairs, &attention::pairs(&self.config, &qkv));
        attention::rotate(&self.config, &mut qkv);
        let context = attention::attend(&self.config, &qkv);
        observe(Site::Context, &context);
        add(stream, &layer.output.run(&context), Site::Output, observe);
        let normed = self.normalise(stream, &layer.norm2);
        observe(Site::Normed2, &normed);
        let up = layer.up.run(&normed);
        observe(Site::Up, &up);
        let inner = self.config.inner;
        let gated: Vec<f32> = up
            .par_chunks_exact(2 * inner)
            .flat_map_iter(|row| row[..inner].iter().zip(&row[inner..]).map(|(g, u)| silu(f64::from(*g)) as f32 * u))
            .collect();
        observe(Site::Gated, &gated);
        add(stream, &layer.down.run(&gated), Site::Down, observe);
    }

    /// Each row divided by its root mean square and multiplied by the gain.
    pub fn normalise(&self, stream: &[f32], gain: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(stream.len());
        for row in stream.chunks_exact(gain.len()) {
            let squares: f64 = row.iter().map(|v| f64::from(*v).powi(2)).sum();
            let factor = 1.0 / (squares / gain.len() as f64 + self.config.epsilon).sqrt();
            out.extend(row.iter().zip(gain).map(|(v, gain)| (f64::from(*v) * factor * f64::from(*gain)) as f32));
        }
        out
    }

    /// The logits of normalised rows for some of the words: `[rows][words]`.
    ///
    /// # Errors
    /// As for [`FloatLlama::words`].
    pub fn logits(&self, normed: &[f32], words: std::ops::Range<usize>) -> Result<Vec<f32>, Error> {
        let bias = vec![0.0; words.len()];
        Ok(linear(normed, &self.head(words)?, &bias))
    }

    /// The logits after each token of a sequence: `[tokens][vocabulary]`.
    ///
    /// # Errors
    /// As for [`FloatLlama::words`].
    pub fn run(&self, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        let mut stream = self.embed(tokens)?;
        for i in 0..self.config.layers {
            self.forward(&self.layer(i)?, &mut stream, &mut |_, _| ());
        }
        self.logits(&self.normalise(&stream, &self.final_norm()?), 0..self.config.vocabulary)
    }
}

/// The prefix of a layer's names.
fn at(i: usize) -> String {
    format!("model.layers.{i}")
}

/// Adds to the stream.
fn add(stream: &mut [f32], added: &[f32], site: Site, observe: &mut Observe<'_>) {
    observe(site, added);
    stream.iter_mut().zip(added).for_each(|(stream, added)| *stream += added);
    observe(Site::Stream, stream);
}
