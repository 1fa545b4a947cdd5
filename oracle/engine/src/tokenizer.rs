//! Texts become token ids and back, through the tokenizer that the artifact carries.

mod controls;
mod description;
mod encode;
mod growth;
mod pattern;
mod text;

pub use controls::Marks;
pub use text::TextStream;

use crate::{chat_template::Rendered, error::Error, patience::Patience};
use controls::Controls;
use description::Described;
use encode::{Encoder, Pass};

/// The longest text that is looked at, in bytes: more than the longest context of any published model.
const MAX_TEXT: usize = 1 << 20;
/// The same in bytes per token of the model's limit: far beyond any real text.
const MAX_BYTES_PER_TOKEN: usize = 1_024;
/// Bytes that a text may have when it is made tokens. Each takes some hundred bytes of memory for a moment.
const MAX_GROWN: u64 = 2 << 20;

/// A tokenizer with the model's limits.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    pieces: text::Pieces,
    encoder: Encoder,
    controls: Controls,
    vocabulary: u32,
    max_tokens: usize,
    /// The longest text in bytes.
    max_text: usize,
    growth: u64,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`. Its own truncation and padding are switched off: a text that is too long is an error,
    /// never silently another text.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when the bytes are not a tokenizer, or one that could make very much of a small text or take
    /// very long over it: the message names the component and the number.
    pub fn new(json: &[u8], vocabulary: u32, max_tokens: u32) -> Result<Self, Error> {
        let Described { inner, growth, longest, unknown } = description::read(json)?;
        let pieces = text::Pieces::new(&inner);
        let encoder = Encoder::new(&inner, longest)?;
        let controls = Controls::new(&inner, unknown);
        let max_text = MAX_TEXT.min(usize::try_from(MAX_GROWN / growth).unwrap_or(MAX_TEXT));
        Ok(Self { inner, pieces, encoder, controls, vocabulary, max_tokens: max_tokens as usize, max_text, growth })
    }

    /// The ids of one text, the special tokens included; `index` is for the error.
    ///
    /// Control words in it are control tokens: the whole text is its author's own.
    ///
    /// # Errors
    /// [`Error::InputTooLong`] above the model's limit, [`Error::Preparation`] when the text is longer than any such model
    /// needs or takes too long, [`Error::Tokenizer`] when the tokenizer fails or gives an id that the model does not know.
    pub fn encode(&self, index: usize, text: &str) -> Result<Vec<u32>, Error> {
        self.encode_within(index, text, Patience::new())
    }

    pub(crate) fn encode_within(&self, index: usize, text: &str, patience: Patience) -> Result<Vec<u32>, Error> {
        self.ids(index, text, true, &Marks::default(), patience)
    }

    /// The ids of a text that has its special tokens already, as a chat template writes them.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_as_is(&self, index: usize, text: &str) -> Result<Vec<u32>, Error> {
        self.ids(index, text, false, &Marks::default(), Patience::new())
    }

    /// Marks for a conversation's texts, which tell apart what comes from messages; `texts` are all from which the rendered
    /// text is made.
    ///
    /// # Errors
    /// [`Error::Request`] when they use up all private signs of Unicode.
    pub fn marks<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Result<Marks, Error> {
        let used_up = || Error::Request("the conversation uses all private signs of Unicode".into());
        self.controls.marks(texts).ok_or_else(used_up)
    }

    /// The ids of a rendered conversation. Control words of the template are control tokens; those that come from a message
    /// are text, however the template cut and joined it.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`]; also [`Error::Request`] for a control word in a message that the tokenizer's model knows
    /// no other token for.
    pub fn encode_rendered(&self, index: usize, rendered: &Rendered) -> Result<Vec<u32>, Error> {
        self.encode_rendered_within(index, rendered, Patience::new())
    }

    pub(crate) fn encode_rendered_within(
        &self,
        index: usize,
        rendered: &Rendered,
        patience: Patience,
    ) -> Result<Vec<u32>, Error> {
        self.ids(index, &rendered.text, false, &rendered.marks, patience)
    }

    fn ids(
        &self,
        index: usize,
        text: &str,
        add_special: bool,
        marks: &Marks,
        patience: Patience,
    ) -> Result<Vec<u32>, Error> {
        let limit = self.max_tokens;
        let least = text.len().div_ceil(self.encoder.most_bytes().min(MAX_BYTES_PER_TOKEN));
        if least > limit {
            return Err(Error::InputTooLong { index, tokens: least, limit });
        }
        if text.len() > self.max_text {
            let (len, most, growth) = (text.len(), self.max_text, self.growth);
            let why =
                if growth > 1 { format!(", which may make {growth} times as many of them") } else { String::new() };
            return Err(Error::Preparation(format!(
                "text {index} has {len} bytes; this model's tokenizer is given at most {most}{why}"
            )));
        }
        let marks = if marks.are_in(text) { marks } else { &Marks::default() };
        let pass = Pass { inner: &self.inner, controls: &self.controls, marks, patience };
        let ids = guarded(|| self.encoder.encode(&pass, text, add_special))?;
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
        // Our own limits are asked from within.
        Ok(Err(error)) => Err(match error.downcast::<Error>() {
            Ok(own) => *own,
            Err(error) => Error::Tokenizer(error.to_string()),
        }),
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
