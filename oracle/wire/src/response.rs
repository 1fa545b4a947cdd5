//! What a model answers, in Borsh: the bytes that the result root covers.

use borsh::{BorshDeserialize, BorshSerialize};
use provena_arith::{hash::Hash, merkle};
use serde::Serialize;

use crate::{Units, error::DecodeError, list::few};

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
    /// The answer to [`Request::Classify`](crate::Request::Classify).
    Classify {
        /// The class of each image.
        labels: Vec<u8>,
        /// One number per class and image, larger for likelier classes.
        #[borsh(deserialize_with = "few")]
        logits: Vec<Vec<i32>>,
    },
    /// The answer to [`Request::Embed`](crate::Request::Embed).
    Embed {
        /// Vectors of length one, as integers: the value is v / 2^shift.
        #[borsh(deserialize_with = "few")]
        vectors: Vec<Vec<i16>>,
        /// Fraction bits of the vectors.
        shift: i8,
    },
    /// The answer to [`Request::Generate`](crate::Request::Generate).
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

impl Response {
    /// The response in Borsh.
    pub fn to_bytes(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// A response from its bytes; trailing bytes are an error.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not a response.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        borsh::from_slice(bytes).map_err(|e| DecodeError { what: "response", reason: e.to_string() })
    }

    /// What the payer is charged for: pictures or texts in and nothing out, or tokens of the prompt in and of the answer out.
    pub fn units(&self) -> Units {
        match self {
            Self::Classify { labels, .. } => Units::of(labels.len(), 0),
            Self::Embed { vectors, .. } => Units::of(vectors.len(), 0),
            Self::Generate { prompt_tokens, tokens, .. } => Units::of(*prompt_tokens as usize, tokens.len()),
        }
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
