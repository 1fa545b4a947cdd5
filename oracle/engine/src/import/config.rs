//! `config.json`, as the `transformers` library writes it, or as this repository's own training does.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    artifact::{BertRecipe, Family, ModelRecipe},
    error::Error,
};

/// Tokens that a sentence encoder takes unless its positions are fewer: what MiniLM was trained for.
const MAX_TOKENS: u32 = 256;

/// Every field that some family needs; which ones must be there depends on the family.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    model_type: String,
    // Classifiers.
    widths: Option<Vec<usize>>,
    input_scale: Option<f64>,
    activation: Option<String>,
    /// Per hidden layer the largest activation over the training set.
    pub activation_max: Option<Vec<f32>>,
    // Encoders.
    vocab_size: Option<u32>,
    hidden_size: Option<u32>,
    num_hidden_layers: Option<u32>,
    num_attention_heads: Option<u32>,
    intermediate_size: Option<u32>,
    max_position_embeddings: Option<u32>,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f32>,
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
}

/// A field that must be there.
fn need<T>(value: Option<T>, name: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::Import(format!("config.json lacks {name:?}")))
}

impl Config {
    /// Takes what `config.json` says.
    pub(super) fn new(json: &Value) -> Result<Self, Error> {
        Self::deserialize(json).map_err(|e| Error::Import(format!("config.json: {e}")))
    }

    /// The family that it names.
    pub(super) fn family(&self) -> Result<Family, Error> {
        match self.model_type.as_str() {
            // Built like Llama.
            "mistral" | "qwen2" => Ok(Family::Llama),
            name => name.parse().map_err(|_| {
                let known = Family::ALL.map(|family| family.to_string()).join(", ");
                Error::Import(format!("unknown model family {name:?}, known are {known}, mistral, qwen2"))
            }),
        }
    }

    /// A classifier's widths, the input's first, and its largest input value.
    pub(super) fn mlp(&self) -> Result<(Vec<usize>, u8), Error> {
        let widths = need(self.widths.clone(), "widths")?;
        if widths.len() < 2 || widths.iter().any(|w| !(1..=65_536).contains(w)) {
            return Err(Error::Import(format!("config.json: {widths:?} are no layer widths")));
        }
        if self.activation.as_deref().unwrap_or("relu") != "relu" {
            return Err(Error::Import(format!("activation {:?} is not supported, only relu", self.activation)));
        }
        let scale = need(self.input_scale, "input_scale")?;
        if scale.fract() != 0.0 || !(1.0..=127.0).contains(&scale) {
            return Err(Error::Import(format!("input_scale is {scale}, not a whole number of 1 to 127")));
        }
        Ok((widths, scale as u8))
    }

    /// An encoder's sizes, its number of token types and the epsilon of its normalisations.
    pub(super) fn bert(&self) -> Result<(BertRecipe, usize, f32), Error> {
        let only = |what: &str, value: &Option<String>, supported: &str| match value.as_deref() {
            Some(found) if found != supported => {
                Err(Error::Import(format!("{what} {found:?} is not supported, only {supported}")))
            }
            _ => Ok(()),
        };
        only("hidden_act", &self.hidden_act, "gelu")?;
        only("position_embedding_type", &self.position_embedding_type, "absolute")?;
        let positions = need(self.max_position_embeddings, "max_position_embeddings")?;
        let epsilon = self.layer_norm_eps.unwrap_or(1e-12);
        // The integers have no epsilon; a small one changes nothing that they could show.
        if !(0.0..=1e-5).contains(&epsilon) {
            return Err(Error::Import(format!("layer_norm_eps is {epsilon}, supported are 0 to 1e-5")));
        }
        let recipe = BertRecipe {
            vocabulary: need(self.vocab_size, "vocab_size")?,
            width: need(self.hidden_size, "hidden_size")?,
            layers: need(self.num_hidden_layers, "num_hidden_layers")?,
            heads: need(self.num_attention_heads, "num_attention_heads")?,
            inner: need(self.intermediate_size, "intermediate_size")?,
            positions,
            max_tokens: positions.min(MAX_TOKENS),
        };
        let checked = ModelRecipe::Bert(recipe.clone()).check();
        checked.map_err(|reason| Error::Import(format!("config.json: {reason}")))?;
        let types = need(self.type_vocab_size, "type_vocab_size")?;
        if types == 0 {
            return Err(Error::Import("config.json: type_vocab_size is 0".into()));
        }
        Ok((recipe, types, epsilon))
    }
}
