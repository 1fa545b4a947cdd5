//! The recipe section: which architecture the tensors belong to, and where they came from.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

use crate::error::Error;

/// Model families that this engine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// A classifier of small images: matrix products with ReLU between.
    Mlp,
    /// A sentence encoder: BERT, the mean over tokens, length one.
    Bert,
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Mlp => "mlp",
            Self::Bert => "bert",
        })
    }
}

impl std::str::FromStr for Family {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "mlp" => Ok(Self::Mlp),
            "bert" => Ok(Self::Bert),
            _ => Err(Error::Import(format!("unknown model family {name:?}, known are mlp and bert"))),
        }
    }
}

/// Everything about a model but its tensors.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Recipe {
    /// The model's name, for people.
    pub name: String,
    /// [`provena_arith::receipt::ENGINE_CLASS_INT_V1`].
    pub engine_class: u8,
    /// The architecture.
    pub model: ModelRecipe,
    /// SHA-256 of the tokenizer section, when there is one.
    pub tokenizer_sha256: Option<[u8; 32]>,
    /// Where the float model came from.
    pub source: Source,
}

/// Where a float model came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Source {
    /// SHA-256 of the safetensors file, lower-case hex; of a checkpoint in shards that of the list which `sha256sum`
    /// prints for the index and then the shards in the order of their names.
    pub weights_sha256: String,
    /// The program that made the artifact.
    pub importer: String,
}

/// The architecture of a model.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ModelRecipe {
    /// See [`MlpRecipe`].
    Mlp(MlpRecipe),
    /// See [`BertRecipe`].
    Bert(BertRecipe),
}

/// A classifier whose input values are small integers.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MlpRecipe {
    /// Values per image.
    pub inputs: u32,
    /// Largest input value; the smallest is 0.
    pub max_value: u8,
    /// In order; the last one gives the logits.
    pub layers: Vec<MlpLayer>,
}

/// One matrix product of a classifier.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MlpLayer {
    /// Values that it gives; all layers but the last apply ReLU.
    pub outputs: u32,
}

/// A BERT encoder, post-normalised, with GELU.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BertRecipe {
    /// Rows of the word table.
    pub vocabulary: u32,
    /// Width of the residual stream and of the answer.
    pub width: u32,
    /// Number of layers.
    pub layers: u32,
    /// Heads per layer.
    pub heads: u32,
    /// Width between the two matrix products of the feed-forward part.
    pub inner: u32,
    /// Rows of the position table.
    pub positions: u32,
    /// Longest input in tokens, the special ones included.
    pub max_tokens: u32,
}

impl ModelRecipe {
    /// Which family this is.
    pub const fn family(&self) -> Family {
        match self {
            Self::Mlp(_) => Family::Mlp,
            Self::Bert(_) => Family::Bert,
        }
    }

    /// Longest input: tokens per text, or values per image.
    pub fn max_input(&self) -> usize {
        match self {
            Self::Mlp(mlp) => mlp.inputs as usize,
            Self::Bert(bert) => bert.max_tokens as usize,
        }
    }

    /// Values per answer.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Mlp(mlp) => mlp.layers.last().map_or(0, |layer| layer.outputs as usize),
            Self::Bert(bert) => bert.width as usize,
        }
    }
}

impl Recipe {
    /// Reads and checks a recipe section.
    pub(super) fn read(section: &[u8]) -> Result<Self, Error> {
        let recipe: Self = borsh::from_slice(section).map_err(|e| Error::Artifact(format!("recipe: {e}")))?;
        recipe.check().map_err(|reason| Error::Artifact(format!("recipe: {reason}")))?;
        Ok(recipe)
    }

    /// Limits of the whole section.
    fn check(&self) -> Result<(), String> {
        if self.engine_class != provena_arith::receipt::ENGINE_CLASS_INT_V1 {
            return Err(format!("engine class {} is not int-v1", self.engine_class));
        }
        if self.name.is_empty() || self.name.len() > 200 {
            return Err(format!("the name has {} bytes, allowed are 1 to 200", self.name.len()));
        }
        self.model.check()
    }
}

impl ModelRecipe {
    /// Limits within which int-v1 is exact and no size can overflow.
    pub(crate) fn check(&self) -> Result<(), String> {
        let within = |what: &str, value: u32, low: u32, high: u32| {
            if (low..=high).contains(&value) { Ok(()) } else { Err(format!("{what} is {value}, not {low} to {high}")) }
        };
        match self {
            Self::Mlp(mlp) => {
                within("the number of inputs", mlp.inputs, 1, 65_536)?;
                within("the largest value", mlp.max_value.into(), 1, 127)?;
                within("the number of layers", mlp.layers.len() as u32, 1, 64)?;
                mlp.layers.iter().try_for_each(|layer| within("a layer's width", layer.outputs, 1, 65_536))
            }
            Self::Bert(bert) => {
                within("the vocabulary", bert.vocabulary, 1, 1 << 20)?;
                within("the width", bert.width, 4, 8_192)?;
                within("the number of layers", bert.layers, 1, 128)?;
                within("the number of heads", bert.heads, 1, 256)?;
                within("the inner width", bert.inner, 4, 65_536)?;
                within("the number of positions", bert.positions, 1, 1_024)?;
                within("the longest input", bert.max_tokens, 1, bert.positions)?;
                if !bert.width.is_multiple_of(bert.heads) || !(bert.width / bert.heads).is_multiple_of(4) {
                    return Err(format!("{} heads do not divide a width of {} into fours", bert.heads, bert.width));
                }
                Ok(())
            }
        }
    }
}
