//! Requests and responses, in Borsh: what a payer uploads and what a node's result root covers.

use borsh::{BorshDeserialize, BorshSerialize};
use provena_arith::{hash::Hash, merkle};
use serde::Serialize;

use crate::error::Error;

/// The longest request in bytes.
pub const MAX_REQUEST_LEN: usize = 16 << 20;

/// What a payer asks a model.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub enum Request {
    /// Which class is each image?
    Classify {
        /// For the digits model 64 values of 0..=16 each, row after row.
        images: Vec<Vec<u8>>,
    },
    /// What does each text mean?
    Embed {
        /// Each no longer than the model's limit in tokens.
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
    pub stop: Vec<String>,
}

/// What is there before the model begins.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub enum Prompt {
    /// A text, as it is.
    Text(String),
    /// A conversation, which the model's own template makes a text of.
    Chat(Vec<Message>),
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

impl Sampling {
    /// The likeliest token each time.
    pub const GREEDY: Self = Self { temperature_milli: 0, top_k: 0, top_p_milli: 1_000, seed: 0 };
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    /// The model said that it is complete, or one of the request's texts came up.
    Stop,
    /// It has as many tokens as were asked for.
    Length,
    /// The model's context is full.
    Context,
}

/// What the model answers, in the request's order.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
pub enum Response {
    /// The answer to [`Request::Classify`].
    Classify {
        /// The class of each image.
        labels: Vec<u8>,
        /// One number per class and image, larger for likelier classes.
        logits: Vec<Vec<i32>>,
    },
    /// The answer to [`Request::Embed`].
    Embed {
        /// Vectors of length one, as integers: the value is v / 2^shift.
        vectors: Vec<Vec<i16>>,
        /// Fraction bits of the vectors.
        shift: i8,
    },
    /// The answer to [`Request::Generate`].
    Generate {
        /// Tokens of the prompt.
        prompt_tokens: u32,
        /// The tokens that were generated, the one that ended the answer included.
        tokens: Vec<u32>,
        /// Their text, without the tokens that only the model should see.
        text: String,
        /// Why it ended.
        finish: Finish,
    },
}

impl Request {
    /// The request in Borsh.
    pub fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// A request from its bytes; trailing bytes are an error.
    ///
    /// # Errors
    /// [`Error::Decode`] when the bytes are not a request or too many.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_REQUEST_LEN {
            let reason = format!("{} bytes are more than {MAX_REQUEST_LEN}", bytes.len());
            return Err(Error::Decode { what: "request", reason });
        }
        borsh::from_slice(bytes).map_err(|e| Error::Decode { what: "request", reason: e.to_string() })
    }

    /// The most that the payer can be charged for, as far as the request alone tells: images, texts, or tokens to
    /// generate. What a prompt adds, only its model knows: [`crate::Model::check`].
    pub fn units(&self) -> u32 {
        let count = match self {
            Self::Classify { images } => images.len(),
            Self::Embed { texts } => texts.len(),
            Self::Generate(generate) => generate.max_tokens as usize,
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// What a model that generates text is asked.
    ///
    /// # Errors
    /// [`Error::Request`] when another kind of model is asked.
    pub(crate) fn as_generate(&self) -> Result<&Generate, Error> {
        if let Self::Generate(request) = self {
            return Ok(request);
        }
        Err(Error::Request("this model generates text".into()))
    }

    /// Content root of the request's bytes.
    pub fn input_root(&self) -> Hash {
        merkle::content_root(&self.to_bytes()).expect("a request has at least one byte")
    }
}

impl Response {
    /// The response in Borsh.
    pub fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// A response from its bytes; trailing bytes are an error.
    ///
    /// # Errors
    /// [`Error::Decode`] when the bytes are not a response.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        borsh::from_slice(bytes).map_err(|e| Error::Decode { what: "response", reason: e.to_string() })
    }

    /// What the payer is charged for: images, texts, or tokens, those of the prompt included.
    pub fn units(&self) -> u32 {
        let count = match self {
            Self::Classify { labels, .. } => labels.len(),
            Self::Embed { vectors, .. } => vectors.len(),
            Self::Generate { prompt_tokens, tokens, .. } => *prompt_tokens as usize + tokens.len(),
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Content root of the response's bytes: what nodes agree on.
    pub fn result_root(&self) -> Hash {
        merkle::content_root(&self.to_bytes()).expect("a response has at least one byte")
    }

    /// Cosine of the angle between two vectors of an [`Response::Embed`], for ranking; `None` where there is no such vector.
    pub fn similarity(&self, a: usize, b: usize) -> Option<f64> {
        let Self::Embed { vectors, .. } = self else { return None };
        let (a, b) = (vectors.get(a)?, vectors.get(b)?);
        let dot = |x: &[i16], y: &[i16]| -> f64 { x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum() };
        let lengths = (dot(a, a) * dot(b, b)).sqrt();
        Some(if lengths == 0.0 { 0.0 } else { dot(a, b) / lengths })
    }
}
