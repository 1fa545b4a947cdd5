//! Texts become token ids and back, through the tokenizer that the artifact carries.

mod text;

pub use text::TextStream;

use crate::error::Error;

/// The longest text that is looked at, in bytes per token of the model's limit: far beyond any real text.
const MAX_BYTES_PER_TOKEN: usize = 1_024;

/// A tokenizer with the model's limits.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    pieces: text::Pieces,
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
        let inner = guarded(|| {
            let mut inner = tokenizers::Tokenizer::from_bytes(json)?;
            inner.with_padding(None);
            inner.with_truncation(None)?;
            Ok(inner)
        })?;
        let pieces = text::Pieces::new(&inner);
        Ok(Self { inner, pieces, vocabulary, max_tokens: max_tokens as usize })
    }

    /// The ids of one text, the special tokens included; `index` is for the error.
    ///
    /// # Errors
    /// [`Error::InputTooLong`] above the model's limit, [`Error::Tokenizer`] when the tokenizer fails or gives an id
    /// that the model does not know.
    pub fn encode(&self, index: usize, text: &str) -> Result<Vec<u32>, Error> {
        self.ids(index, text, true)
    }

    /// The ids of a text that has its special tokens already, as a chat template writes them.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_as_is(&self, index: usize, text: &str) -> Result<Vec<u32>, Error> {
        self.ids(index, text, false)
    }

    fn ids(&self, index: usize, text: &str, add_special: bool) -> Result<Vec<u32>, Error> {
        let limit = self.max_tokens;
        if text.len() > limit * MAX_BYTES_PER_TOKEN {
            return Err(Error::InputTooLong { index, tokens: text.len() / MAX_BYTES_PER_TOKEN, limit });
        }
        let ids = guarded(|| Ok(self.inner.encode(text, add_special)?.get_ids().to_vec()))?;
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

/// Runs a step of the `tokenizers` crate. Some contradictory tokenizers make it panic (a template that names a token
/// which is not there, for one); an artifact comes from anybody, so that must be an error like any other.
fn guarded<T>(step: impl FnOnce() -> Result<T, tokenizers::Error>) -> Result<T, Error> {
    // Nothing is seen again after a panic: a tokenizer under construction is dropped, and encoding changes none.
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(step)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::Tokenizer(error.to_string())),
        Err(_) => Err(Error::Tokenizer("the tokenizer contradicts itself".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1}}}"#;

    #[test]
    fn a_tokenizer_that_contradicts_itself_is_an_error() {
        let tokenizer = Tokenizer::new(PLAIN.as_bytes(), 2, 4).unwrap();
        assert_eq!(tokenizer.encode(0, "a b a").unwrap(), [1, 0, 1]);
        // The crate panics on each of these.
        let template = r#""post_processor": {"type": "TemplateProcessing", "special_tokens": {},
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}]}"#;
        for damaged in [
            PLAIN.replace(r#""post_processor": null"#, template),
            PLAIN.replace(r#""type": "WordLevel", "unk_token": "?", "vocab": {"?": 0"#, r#""vocab": {7: 0"#),
        ] {
            let result = Tokenizer::new(damaged.as_bytes(), 2, 4).and_then(|t| t.encode(0, "a"));
            assert!(matches!(result, Err(Error::Tokenizer(_))), "{result:?}");
        }
    }

    #[test]
    fn no_damage_to_a_tokenizer_gets_through() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut read = 0;
        for _ in 0..3_000 {
            let mut json = PLAIN.as_bytes().to_vec();
            let at = random.usize(..json.len());
            json[at] = random.u8(32..127);
            read += usize::from(Tokenizer::new(&json, 2, 4).and_then(|t| t.encode(0, "a b")).is_ok());
        }
        assert!((1..3_000).contains(&read), "{read}");
    }
}
