//! What `config.json` says about a decoder built like Llama.

use serde::Deserialize;
use serde_json::Value;

use super::{
    Site,
    rotation::{Rotation, Scaling},
};
use crate::error::Error;

/// Positions of an artifact unless more, or fewer, are asked for.
pub const DEFAULT_CONTEXT: u32 = 4_096;
/// The longest context that int-v1 holds.
const MAX_CONTEXT: u32 = 65_536;

/// The sizes and numbers of a decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct LlamaConfig {
    /// Rows of the word table.
    pub vocabulary: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Number of layers.
    pub layers: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and of values.
    pub kv_heads: usize,
    /// Width of a head.
    pub depth: usize,
    /// Width between the matrix products of the feed-forward part.
    pub inner: usize,
    /// The longest context in tokens.
    pub positions: usize,
    /// How many tokens a token sees, itself included; 0 for all.
    pub window: usize,
    /// Whether the word table also gives the logits.
    pub tied: bool,
    /// Added to the mean square in every normalisation.
    pub epsilon: f64,
    /// How positions turn queries and keys.
    pub rotation: Rotation,
}

/// The fields of `config.json`, and of what GGUF says in its place.
#[derive(Deserialize)]
struct Fields {
    model_type: String,
    vocab_size: Option<u32>,
    hidden_size: Option<u32>,
    num_hidden_layers: Option<u32>,
    num_attention_heads: Option<u32>,
    num_key_value_heads: Option<u32>,
    head_dim: Option<u32>,
    intermediate_size: Option<u32>,
    max_position_embeddings: Option<u32>,
    rms_norm_eps: Option<f64>,
    rope_theta: Option<f64>,
    rope_scaling: Option<Scaling>,
    rope_parameters: Option<Scaling>,
    tie_word_embeddings: Option<bool>,
    hidden_act: Option<String>,
    sliding_window: Option<u32>,
    use_sliding_window: Option<bool>,
    max_window_layers: Option<u32>,
    layer_types: Option<Vec<String>>,
    partial_rotary_factor: Option<f64>,
    quantization_config: Option<Value>,
}

fn bad(reason: impl std::fmt::Display) -> Error {
    Error::Import(format!("config.json: {reason}"))
}

/// A field that must be there.
fn need<T>(value: Option<T>, name: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::Import(format!("config.json lacks {name:?}")))
}

/// A size that must be there and within limits.
fn size(value: Option<u32>, name: &str, most: u32) -> Result<usize, Error> {
    let value = need(value, name)?;
    if (1..=most).contains(&value) {
        Ok(value as usize)
    } else {
        Err(bad(format!("{name} is {value}, not 1 to {most}")))
    }
}

impl LlamaConfig {
    /// Reads `config.json`; `context` is the number of positions that the artifact shall have, by default what the
    /// model has, but no more than [`DEFAULT_CONTEXT`].
    ///
    /// # Errors
    /// [`Error::Import`] for fields that are missing, contradict each other or ask for what int-v1 does not have.
    pub fn new(json: &Value, context: Option<u32>) -> Result<Self, Error> {
        let fields: Fields = Fields::deserialize(json).map_err(bad)?;
        fields.check_supported()?;
        let width = size(fields.hidden_size, "hidden_size", 16_384)?;
        let heads = size(fields.num_attention_heads, "num_attention_heads", 256)?;
        let kv_heads = match fields.num_key_value_heads {
            None => heads,
            found => size(found, "num_key_value_heads", 256)?,
        };
        if !heads.is_multiple_of(kv_heads) {
            return Err(bad(format!("{heads} heads do not share {kv_heads} key and value heads")));
        }
        let depth = match fields.head_dim {
            Some(_) => size(fields.head_dim, "head_dim", 256)?,
            None if width.is_multiple_of(heads) => width / heads,
            None => return Err(bad(format!("{heads} heads do not divide a width of {width}"))),
        };
        if !depth.is_multiple_of(8) || depth > 256 {
            return Err(bad(format!("the width of a head is {depth}, not a multiple of 8 up to 256")));
        }
        let layers = size(fields.num_hidden_layers, "num_hidden_layers", 256)?;
        let max_positions = need(fields.max_position_embeddings, "max_position_embeddings")?;
        let positions = positions(max_positions, context)?;
        let window = fields.window(layers)? as usize;
        let epsilon = fields.rms_norm_eps.unwrap_or(1e-6);
        if !(0.0..=1.0).contains(&epsilon) {
            return Err(bad(format!("rms_norm_eps is {epsilon}, not 0 to 1")));
        }
        Ok(Self {
            vocabulary: size(fields.vocab_size, "vocab_size", 1 << 18)?,
            width,
            layers,
            heads,
            kv_heads,
            depth,
            inner: size(fields.intermediate_size, "intermediate_size", 65_536)?,
            positions,
            window: if window >= positions { 0 } else { window },
            tied: fields.tie_word_embeddings.unwrap_or(false),
            epsilon,
            rotation: fields.rotation(depth, max_positions)?,
        })
    }
}

impl LlamaConfig {
    /// Columns of the rows at a site.
    pub fn columns(&self, site: Site) -> usize {
        let Self { width, vocabulary, heads, kv_heads, depth, inner, .. } = *self;
        match site {
            Site::Stream | Site::Normed1 | Site::Output | Site::Normed2 | Site::Down | Site::Final => width,
            Site::Qkv => (heads + 2 * kv_heads) * depth,
            Site::Pairs => (heads + kv_heads) * depth / 2,
            Site::Context => heads * depth,
            Site::Up => 2 * inner,
            Site::Gated => inner,
            Site::Logits => vocabulary,
        }
    }
}

/// The positions of the artifact.
fn positions(model: u32, asked: Option<u32>) -> Result<usize, Error> {
    if model == 0 {
        return Err(bad("max_position_embeddings is 0"));
    }
    let positions = asked.unwrap_or_else(|| model.min(DEFAULT_CONTEXT));
    let most = model.min(MAX_CONTEXT);
    if !(1..=most).contains(&positions) {
        return Err(Error::Import(format!("a context of {positions} tokens was asked for, the model has 1 to {most}")));
    }
    Ok(positions as usize)
}

impl Fields {
    /// Refuses what would change the answer and is not computed.
    fn check_supported(&self) -> Result<(), Error> {
        if !["llama", "mistral", "qwen2"].contains(&self.model_type.as_str()) {
            return Err(bad(format!("{:?} is not built like Llama", self.model_type)));
        }
        let act = self.hidden_act.as_deref().unwrap_or("silu");
        if !["silu", "swish"].contains(&act) {
            return Err(Error::Import(format!("hidden_act {act:?} is not supported, only silu")));
        }
        if let Some(part) = self.partial_rotary_factor.filter(|part| *part != 1.0) {
            return Err(Error::Import(format!("partial_rotary_factor {part} is not supported, only 1")));
        }
        if self.quantization_config.as_ref().is_some_and(|found| !found.is_null()) {
            return Err(Error::Import("quantised checkpoints are not supported except as GGUF".into()));
        }
        Ok(())
    }

    /// How many tokens a token sees in every layer; 0 for all.
    fn window(&self, layers: usize) -> Result<u32, Error> {
        let stated = match (self.model_type.as_str(), self.sliding_window) {
            ("qwen2", _) if !self.use_sliding_window.unwrap_or(false) => 0,
            (_, Some(window)) => window,
            _ => 0,
        };
        if stated == 0 {
            return Ok(0);
        }
        let uneven = || Error::Import("a sliding window in some layers only is not supported".into());
        let slides = match &self.layer_types {
            Some(types) => types.iter().filter(|kind| *kind == "sliding_attention").count(),
            None if self.model_type == "qwen2" => layers.saturating_sub(self.max_window_layers.unwrap_or(28) as usize),
            None => layers,
        };
        match slides {
            0 => Ok(0),
            n if n == layers => Ok(stated),
            _ => Err(uneven()),
        }
    }

    fn rotation(&self, depth: usize, max_positions: u32) -> Result<Rotation, Error> {
        let scaling = self.rope_scaling.clone().or_else(|| self.rope_parameters.clone()).unwrap_or_default();
        let stated = self.rope_theta.or_else(|| self.rope_parameters.as_ref()?.theta()).or_else(|| scaling.theta());
        scaling.rotation(depth, stated.unwrap_or(10_000.0), f64::from(max_positions))
    }
}
