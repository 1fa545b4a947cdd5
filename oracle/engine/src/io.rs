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

    /// What the payer is charged for: images or texts.
    pub fn units(&self) -> u32 {
        let count = match self {
            Self::Classify { images } => images.len(),
            Self::Embed { texts } => texts.len(),
        };
        u32::try_from(count).unwrap_or(u32::MAX)
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
