//! Texts become token ids, through the tokenizer that the artifact carries.

use crate::error::Error;

/// The longest text that is looked at, in bytes per token of the model's limit: far beyond any real text.
const MAX_BYTES_PER_TOKEN: usize = 1_024;

/// A tokenizer with the model's limits.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    vocabulary: u32,
    max_tokens: usize,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`. Its own truncation and padding are switched off: a text that is too long is an error,
    /// never silently another text.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when the bytes are not a tokenizer.
    pub fn new(json: &[u8], vocabulary: u32, max_tokens: u32) -> Result<Self, Error> {
        let fail = |e: tokenizers::Error| Error::Tokenizer(e.to_string());
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(fail)?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(fail)?;
        Ok(Self { inner, vocabulary, max_tokens: max_tokens as usize })
    }

    /// The ids of one text, the special tokens included; `index` is for the error.
    ///
    /// # Errors
    /// [`Error::InputTooLong`] above the model's limit, [`Error::Tokenizer`] when the tokenizer fails or gives an id
    /// that the model does not know.
    pub fn encode(&self, index: usize, text: &str) -> Result<Vec<u32>, Error> {
        let limit = self.max_tokens;
        if text.len() > limit * MAX_BYTES_PER_TOKEN {
            return Err(Error::InputTooLong { index, tokens: text.len() / MAX_BYTES_PER_TOKEN, limit });
        }
        let encoding = self.inner.encode(text, true).map_err(|e| Error::Tokenizer(e.to_string()))?;
        let ids = encoding.get_ids().to_vec();
        if ids.len() > limit {
            return Err(Error::InputTooLong { index, tokens: ids.len(), limit });
        }
        if let Some(id) = ids.iter().find(|id| **id >= self.vocabulary) {
            return Err(Error::Tokenizer(format!("text {index} gives token {id}; the model has {}", self.vocabulary)));
        }
        if ids.is_empty() {
            return Err(Error::Tokenizer(format!("text {index} gives no token")));
        }
        Ok(ids)
    }
}
