//! What a payer asks a model, in Borsh: the bytes that the input root covers.

use borsh::{BorshDeserialize, BorshSerialize};
use provena_arith::{hash::Hash, merkle};
use serde::Serialize;

use crate::{Units, error::DecodeError, list::few};

/// The longest request in bytes.
pub const MAX_REQUEST_LEN: usize = 16 << 20;

/// What a payer asks a model.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub enum Request {
    /// Which class is each image?
    Classify {
        /// For the digits model 64 values of 0..=16 each, row after row.
        #[borsh(deserialize_with = "few")]
        images: Vec<Vec<u8>>,
    },
    /// What does each text mean?
    Embed {
        /// Each no longer than the model's limit in tokens.
        #[borsh(deserialize_with = "few")]
        texts: Vec<String>,
    },
    /// What comes next?
    Generate(Generate),
}

/// A text to be continued.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Generate {
    /// What is there already.
    pub prompt: Prompt,
    /// The most tokens to generate, at least 1.
    pub max_tokens: u32,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Texts that end the answer, which stops before them.
    #[borsh(deserialize_with = "few")]
    pub stop: Vec<String>,
}

/// What is there before the model begins.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub enum Prompt {
    /// A text, as it is.
    Text(String),
    /// A conversation, which the model's own template makes a text of.
    Chat(#[borsh(deserialize_with = "few")] Vec<Message>),
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Message {
    /// "system", "user" or "assistant".
    pub role: String,
    /// The text.
    pub content: String,
}

/// How tokens are chosen; the same choice on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub struct Sampling {
    /// Temperature in thousandths, at most 100,000; 0 takes the likeliest token each time.
    pub temperature_milli: u32,
    /// Only the so many likeliest tokens are drawn from; 0 for all.
    pub top_k: u32,
    /// Only the likeliest tokens that together have this probability, in thousandths, are drawn from; 1,000 for all.
    pub top_p_milli: u32,
    /// Where chance begins.
    pub seed: u64,
}

/// Tokens that a chat template may add by itself: its marks, a system message of its own, a date.
const TEMPLATE: usize = 128;
/// Tokens that a chat template may add around each message.
const PER_MESSAGE: usize = 16;

impl Prompt {
    /// The most tokens that this can be.
    fn most_tokens(&self) -> usize {
        match self {
            // A tokenizer may put one mark before the text.
            Self::Text(text) => text.len().saturating_add(1),
            Self::Chat(messages) => messages.iter().fold(TEMPLATE, |sum, message| {
                let said = message.role.len().saturating_add(message.content.len());
                sum.saturating_add(said).saturating_add(PER_MESSAGE)
            }),
        }
    }
}

impl Sampling {
    /// The likeliest token each time.
    pub const GREEDY: Self = Self { temperature_milli: 0, top_k: 0, top_p_milli: 1_000, seed: 0 };
}

impl Request {
    /// The request in Borsh.
    pub fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// A request from its bytes; trailing bytes are an error. It takes little more memory than the bytes do: no list has
    /// more than [`MAX_ITEMS`](crate::MAX_ITEMS) items.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not a request, too many, or too many items.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_REQUEST_LEN {
            let reason = format!("{} bytes are more than {MAX_REQUEST_LEN}", bytes.len());
            return Err(DecodeError { what: "request", reason });
        }
        borsh::from_slice(bytes).map_err(|e| DecodeError { what: "request", reason: e.to_string() })
    }

    /// The most that the payer can be charged for, as far as the request alone tells: pictures or texts in, or at most one
    /// token for each byte of a prompt, with an allowance for the model's chat template, in, and the tokens to generate
    /// out. How many tokens a prompt has, only its model knows: the engine's `Model::check`.
    pub fn units(&self) -> Units {
        match self {
            Self::Classify { images } => Units::of(images.len(), 0),
            Self::Embed { texts } => Units::of(texts.len(), 0),
            Self::Generate(generate) => Units::of(generate.prompt.most_tokens(), generate.max_tokens as usize),
        }
    }

    /// The text to be continued, when that is what is asked.
    pub fn as_generate(&self) -> Option<&Generate> {
        if let Self::Generate(request) = self { Some(request) } else { None }
    }

    /// Content root of the request's bytes.
    pub fn input_root(&self) -> Hash {
        merkle::content_root(&self.to_bytes()).expect("a request has at least one byte")
    }
}
