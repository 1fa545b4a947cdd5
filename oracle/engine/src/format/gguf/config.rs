//! `config.json`, as the `transformers` library has it, from the metadata of a GGUF file.

use serde_json::{Value, json};

use super::{super::weights::Weights, metadata::Metadata};
use crate::error::Error;

/// The architectures that are known here; `config.json` calls them the same.
const KNOWN: [&str; 2] = ["llama", "qwen2"];
/// The base of rotation where the metadata does not say.
const ROPE_BASE: f64 = 10_000.0;

/// The sizes that must be known before the tensors can be named, and the metadata to say the rest.
pub(super) struct Described<'a> {
    metadata: &'a Metadata,
    pub architecture: &'a str,
    width: u32,
    heads: u32,
    depth: u32,
}

fn need<T>(value: Option<T>, key: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::Import(format!("the GGUF file lacks the metadata entry {key:?}")))
}

impl<'a> Described<'a> {
    /// Reads what must be known first, and refuses what is not supported.
    pub(super) fn read(metadata: &'a Metadata) -> Result<Self, Error> {
        let architecture = need(metadata.text("general.architecture")?, "general.architecture")?;
        if !KNOWN.contains(&architecture) {
            let known = KNOWN.join(", ");
            let reason = format!("the GGUF file has the architecture {architecture:?}, known are {known}");
            return Err(Error::Import(reason));
        }
        if metadata.u32("split.count")?.is_some_and(|count| count > 1) {
            return Err(Error::Import("the GGUF file is one of several parts: merge them first".into()));
        }
        let mut described = Self { metadata, architecture, width: 0, heads: 0, depth: 0 };
        if described.u32("expert_count")?.is_some_and(|count| count > 0) {
            return Err(Error::Import("the GGUF file is a mixture of experts, which is not supported".into()));
        }
        described.width = described.need("embedding_length")?;
        described.heads = described.need("attention.head_count")?;
        let (width, heads) = (described.width, described.heads);
        let share = width.checked_div(heads).filter(|depth| depth * heads == width);
        described.depth = described.u32("attention.key_length")?.or(share).ok_or_else(|| {
            Error::Import(format!("the GGUF file has {heads} heads, which do not divide a width of {width}"))
        })?;
        for (name, what) in [("attention.value_length", "values"), ("rope.dimension_count", "rotations")] {
            let depth = described.depth;
            if let Some(found) = described.u32(name)?.filter(|found| *found != depth) {
                return Err(Error::Import(format!("{what} of {found} for heads of {depth} are not supported")));
            }
        }
        Ok(described)
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.architecture)
    }

    fn u32(&self, name: &str) -> Result<Option<u32>, Error> {
        self.metadata.u32_or_same(&self.key(name))
    }

    fn float(&self, name: &str) -> Result<Option<f64>, Error> {
        self.metadata.float(&self.key(name))
    }

    fn need(&self, name: &str) -> Result<u32, Error> {
        need(self.u32(name)?, &self.key(name))
    }

    /// The width of a head where rows of queries and keys lie in pairs: llama.cpp's converter puts side by side what
    /// rotates together in this architecture alone.
    pub(super) fn interleaved(&self) -> Option<usize> {
        (self.architecture == "llama").then_some(self.depth as usize)
    }

    /// All of it. `factors` are the divisors of the frequencies of rotation, where the file has them.
    pub(super) fn config(&self, weights: &Weights, factors: Option<Vec<f32>>) -> Result<Value, Error> {
        let rows = |name: &str| weights.shape(name).and_then(|shape| shape.first().copied());
        let epsilon = "attention.layer_norm_rms_epsilon";
        let window = self.u32("attention.sliding_window")?.filter(|window| *window > 0);
        let id = |name: &str| self.metadata.u32(&format!("tokenizer.ggml.{name}_token_id"));
        Ok(json!({
            "model_type": self.architecture,
            "hidden_act": "silu",
            "vocab_size": rows("model.embed_tokens.weight"),
            "hidden_size": self.width,
            "num_hidden_layers": self.need("block_count")?,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.u32("attention.head_count_kv")?.unwrap_or(self.heads),
            "head_dim": self.depth,
            "intermediate_size": self.need("feed_forward_length")?,
            "max_position_embeddings": self.need("context_length")?,
            "rms_norm_eps": single(need(self.float(epsilon)?, &self.key(epsilon))?),
            "rope_theta": single(self.float("rope.freq_base")?.unwrap_or(ROPE_BASE)),
            "rope_scaling": self.scaling(factors)?,
            "sliding_window": window,
            // Where there is a window, every layer has it.
            "use_sliding_window": window.is_some(),
            "max_window_layers": 0,
            "attention_bias": rows("model.layers.0.self_attn.q_proj.bias").is_some(),
            "tie_word_embeddings": rows("lm_head.weight").is_none(),
            "bos_token_id": id("bos")?,
            "eos_token_id": id("eos")?,
        }))
    }

    /// How rotation is scaled: as `config.json` has it, or "factors", a list that divides the plain frequencies.
    fn scaling(&self, factors: Option<Vec<f32>>) -> Result<Value, Error> {
        let kind = self.metadata.text(&self.key("rope.scaling.type"))?;
        // Older files have the factor alone.
        let linear = self.float("rope.scale_linear")?.filter(|factor| *factor != 1.0);
        let factor = self.float("rope.scaling.factor")?.or(linear);
        let need_factor = || need(factor, &self.key("rope.scaling.factor"));
        let scaled = match kind {
            Some("linear") => json!({"rope_type": "linear", "factor": need_factor()?}),
            None if linear.is_some() => json!({"rope_type": "linear", "factor": linear}),
            None | Some("none") => Value::Null,
            Some("yarn") => {
                let mut scaled = json!({"rope_type": "yarn", "factor": need_factor()?});
                let original = self.u32("rope.scaling.original_context_length")?;
                let fields = [
                    ("original_max_position_embeddings", original.map(f64::from)),
                    ("beta_fast", self.float("rope.scaling.yarn_beta_fast")?),
                    ("beta_slow", self.float("rope.scaling.yarn_beta_slow")?),
                ];
                for (name, value) in fields {
                    if let Some(value) = value {
                        // Sizes stay integers, as `config.json` has them.
                        scaled[name] = if value.fract() == 0.0 { json!(value as u64) } else { json!(value) };
                    }
                }
                scaled
            }
            Some(other) => {
                return Err(Error::Import(format!("rotation scaled by {other:?} is not supported in GGUF files")));
            }
        };
        match factors {
            None => Ok(scaled),
            Some(factors) if scaled.is_null() => {
                if factors.len() != self.depth as usize / 2 || factors.iter().any(|factor| *factor <= 0.0) {
                    let reason = format!("must be {} positive numbers", self.depth / 2);
                    return Err(Error::import_tensor(super::names::ROPE_FACTORS, reason));
                }
                Ok(
                    json!({"rope_type": "factors", "factors": factors.iter().map(|f| single((*f).into())).collect::<Vec<_>>()}),
                )
            }
            Some(_) => Err(Error::Import("the GGUF file scales rotation in two ways".into())),
        }
    }
}

/// A float of 32 bits with the digits that it takes to tell it from others: 1e-5, not 0.000009999999747378752.
fn single(value: f64) -> f64 {
    let short = (value as f32).to_string().parse().unwrap_or(value);
    if f64::from(value as f32) == value { short } else { value }
}
