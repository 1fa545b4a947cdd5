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
    /// A text generator: Llama and those built like it (Mistral, Qwen2, SmolLM2, TinyLlama).
    Llama,
    /// A classifier of images: convolutions with ReLU, pooling, matrix products.
    Cnn,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 4] = [Self::Mlp, Self::Bert, Self::Llama, Self::Cnn];
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Mlp => "mlp",
            Self::Bert => "bert",
            Self::Llama => "llama",
            Self::Cnn => "cnn",
        })
    }
}

impl std::str::FromStr for Family {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|family| family.to_string() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(|family| family.to_string()).join(", ");
            Error::Import(format!("unknown model family {name:?}, known are {names}"))
        })
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
    /// See [`LlamaRecipe`].
    Llama(LlamaRecipe),
    /// See [`CnnRecipe`].
    Cnn(CnnRecipe),
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

/// A decoder with root-mean-square normalisation before each part, rotary positions, grouped queries and a gated
/// feed-forward part.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LlamaRecipe {
    /// Rows of the word table, and logits per token.
    pub vocabulary: u32,
    /// Width of the residual stream.
    pub width: u32,
    /// Number of layers.
    pub layers: u32,
    /// Heads of queries.
    pub heads: u32,
    /// Heads of keys and of values; divides `heads`.
    pub kv_heads: u32,
    /// Width of a head, a multiple of 8.
    pub depth: u32,
    /// Width between the two matrix products of the feed-forward part.
    pub inner: u32,
    /// The longest context in tokens: rows of the rotation table.
    pub positions: u32,
    /// How many tokens a token sees, itself included; 0 for all.
    pub window: u32,
    /// Whether the word table also gives the logits.
    pub tied: bool,
    /// What the matrix products read.
    pub activations: Activations,
    /// Tokens that end an answer.
    pub stops: Vec<u32>,
    /// The template that makes a prompt of a chat, as the model ships it; empty where it ships none.
    pub chat_template: String,
    /// The text of the token that begins a sequence, for the template; empty where there is none.
    pub bos: String,
    /// The text of the token that ends a sequence, for the template; empty where there is none.
    pub eos: String,
}

/// What a decoder's matrix products read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Activations {
    /// One signed byte per value.
    Bytes,
    /// Two signed bytes per value, see [`provena_arith::fixed::split`].
    Split,
}

/// A convolutional classifier whose input values are small integers.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CnnRecipe {
    /// Height of an image.
    pub height: u32,
    /// Width of an image.
    pub width: u32,
    /// Values per pixel.
    pub channels: u32,
    /// Largest input value; the smallest is 0.
    pub max_value: u8,
    /// In order; each applies ReLU.
    pub convolutions: Vec<Convolution>,
    /// The matrix products that follow, in order; the last one gives the logits, the others apply ReLU.
    pub layers: Vec<MlpLayer>,
}

/// A convolution, and the pooling that may follow it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Convolution {
    /// Channels that it gives.
    pub outputs: u32,
    /// Height and width of its patches.
    pub kernel: u32,
    /// Pixels from one patch to the next.
    pub stride: u32,
    /// Pixels of zeros around the image.
    pub pad: u32,
    /// Height and width of the squares of which only the largest value is kept; 1 for no pooling.
    pub pool: u32,
}

impl ModelRecipe {
    /// Which family this is.
    pub const fn family(&self) -> Family {
        match self {
            Self::Mlp(_) => Family::Mlp,
            Self::Bert(_) => Family::Bert,
            Self::Llama(_) => Family::Llama,
            Self::Cnn(_) => Family::Cnn,
        }
    }

    /// Longest input: tokens per text, or values per image.
    pub fn max_input(&self) -> usize {
        match self {
            Self::Mlp(mlp) => mlp.inputs as usize,
            Self::Bert(bert) => bert.max_tokens as usize,
            Self::Llama(llama) => llama.positions as usize,
            Self::Cnn(cnn) => (cnn.height * cnn.width * cnn.channels) as usize,
        }
    }

    /// Values per answer.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Mlp(mlp) => mlp.layers.last().map_or(0, |layer| layer.outputs as usize),
            Self::Bert(bert) => bert.width as usize,
            Self::Llama(llama) => llama.vocabulary as usize,
            Self::Cnn(cnn) => cnn.layers.last().map_or(0, |layer| layer.outputs as usize),
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
        match self {
            Self::Mlp(mlp) => {
                within("the number of inputs", mlp.inputs, 1, 65_536)?;
                within("the largest value", mlp.max_value.into(), 1, 127)?;
                within("the number of layers", mlp.layers.len() as u32, 1, 64)?;
                mlp.layers.iter().try_for_each(|layer| within("a layer's width", layer.outputs, 1, 65_536))?;
                within("the number of classes", mlp.layers.last().map_or(0, |layer| layer.outputs), 1, 256)
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
            Self::Llama(llama) => llama.check(),
            Self::Cnn(cnn) => cnn.check(),
        }
    }
}

impl LlamaRecipe {
    fn check(&self) -> Result<(), String> {
        // A total of sampling weights must fit 32 bits, and the sums of attention's weights 30.
        within("the vocabulary", self.vocabulary, 1, 1 << 18)?;
        within("the width", self.width, 4, 16_384)?;
        within("the number of layers", self.layers, 1, 256)?;
        within("the number of heads", self.heads, 1, 256)?;
        within("the number of key and value heads", self.kv_heads, 1, self.heads)?;
        within("the width of a head", self.depth, 8, 256)?;
        within("the inner width", self.inner, 4, 65_536)?;
        within("the longest context", self.positions, 1, 65_536)?;
        within("the window", self.window, 0, self.positions)?;
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(format!("{} heads do not share {} key and value heads", self.heads, self.kv_heads));
        }
        if !self.depth.is_multiple_of(8) {
            return Err(format!("the width of a head is {}, not a multiple of 8", self.depth));
        }
        if self.stops.len() > 64 || self.stops.iter().any(|stop| *stop >= self.vocabulary) {
            return Err(format!("{:?} are no tokens that end an answer", self.stops));
        }
        if self.chat_template.len() > 1 << 18 || self.bos.len() > 256 || self.eos.len() > 256 {
            return Err("the chat template is too long".into());
        }
        Ok(())
    }
}

impl CnnRecipe {
    fn check(&self) -> Result<(), String> {
        within("the height", self.height, 1, 1_024)?;
        within("the width", self.width, 1, 1_024)?;
        within("the number of channels", self.channels, 1, 64)?;
        within("the largest value", self.max_value.into(), 1, 127)?;
        within("the number of convolutions", self.convolutions.len() as u32, 1, 64)?;
        within("the number of layers", self.layers.len() as u32, 1, 64)?;
        self.layers.iter().try_for_each(|layer| within("a layer's width", layer.outputs, 1, 65_536))?;
        within("the number of classes", self.layers.last().map_or(0, |layer| layer.outputs), 1, 256)?;
        self.sizes().map(drop)
    }

    /// Height, width and channels of the image before each convolution, and after the last.
    ///
    /// # Errors
    /// What does not fit, when a convolution is larger than the image that it sees.
    pub fn sizes(&self) -> Result<Vec<[usize; 3]>, String> {
        let mut size = [self.height as usize, self.width as usize, self.channels as usize];
        let mut sizes = vec![size];
        for convolution in &self.convolutions {
            within("a convolution's number of channels", convolution.outputs, 1, 4_096)?;
            within("a convolution's kernel", convolution.kernel, 1, 64)?;
            within("a convolution's stride", convolution.stride, 1, 64)?;
            within("a convolution's padding", convolution.pad, 0, convolution.kernel)?;
            within("a pooling's kernel", convolution.pool, 1, 64)?;
            let side = |length: usize| {
                let padded = length + 2 * convolution.pad as usize;
                let patches = padded.checked_sub(convolution.kernel as usize)? / convolution.stride as usize + 1;
                Some(patches / convolution.pool as usize).filter(|side| *side > 0)
            };
            let (Some(height), Some(width)) = (side(size[0]), side(size[1])) else {
                return Err(format!("a convolution does not fit an image of {} by {}", size[0], size[1]));
            };
            // What the convolution reads and what it gives, before the pooling, are whole in memory.
            let pixels = (height * width) as u64 * u64::from(convolution.pool).pow(2);
            let patch = u64::from(convolution.kernel).pow(2) * size[2] as u64;
            if pixels * patch.max(convolution.outputs.into()) > 1 << 26 {
                return Err(format!("a convolution of an image of {} by {} needs too much memory", size[0], size[1]));
            }
            size = [height, width, convolution.outputs as usize];
            sizes.push(size);
        }
        if size.iter().product::<usize>() > 1 << 20 {
            return Err("the last convolution gives too many values".into());
        }
        Ok(sizes)
    }
}

fn within(what: &str, value: u32, low: u32, high: u32) -> Result<(), String> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(format!("{what} is {value}, not {low} to {high}")) }
}
