//! What a `tokenizer.json` says, looked at before the library reads it: nothing that can explode is let in.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use tokenizers::{Model as _, ModelWrapper, NormalizerWrapper, PostProcessor as _, Tokenizer};

use super::{
    growth::{self, Pieces},
    guarded,
    pattern::check_split,
};
use crate::{error::Error, json::Unique};

/// The longest token, in bytes: an answer has up to so many for each of its tokens.
const MAX_TOKEN_LEN: usize = 2_048;
/// The same for models that try all tokens at all places of a text.
const MAX_TRIED_LEN: usize = 256;
/// The longest word that `WordPiece` takes apart, in characters; published ones have 100.
const MAX_WORD: u64 = 200;
/// Bytes of all added tokens after they were normalised.
const MAX_ADDED: u64 = 16 << 20;
/// Added tokens that look at what is beside them, each for itself.
const MAX_LOOKING: usize = 64;
/// Tokens that a post-processor may put around a text.
const MAX_AROUND: usize = 256;

/// All that is read of it here.
#[derive(Deserialize)]
struct Json {
    #[serde(default)]
    added_tokens: Vec<Added>,
    #[serde(default)]
    normalizer: Unique,
    #[serde(default)]
    pre_tokenizer: Unique,
    #[serde(default)]
    decoder: Unique,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    vocab: Longest,
    #[serde(default)]
    dropout: Option<f64>,
    #[serde(default)]
    max_input_chars_per_word: Option<u64>,
    #[serde(default)]
    unk_id: Option<u32>,
}

/// A tokenizer that was looked at and read.
pub(super) struct Described {
    pub inner: Tokenizer,
    /// By how many times a text may grow before it is made tokens.
    pub growth: u64,
    /// Characters of the longest token of the model itself.
    pub longest: usize,
    /// The token for what the model does not know.
    pub unknown: Option<u32>,
}

/// Looks at a `tokenizer.json` and reads it.
///
/// # Errors
/// [`Error::Tokenizer`] when it is none, or can explode, with the component and the number.
pub(super) fn read(json: &[u8]) -> Result<Described, Error> {
    let refused = |reason: String| Err(Error::Tokenizer(reason));
    let said: Json = serde_json::from_slice(json).map_err(|error| Error::Tokenizer(error.to_string()))?;
    let Json { added_tokens, normalizer, pre_tokenizer, decoder, model } = said;
    for part in [&normalizer, &pre_tokenizer, &decoder] {
        patterns(&part.0)?;
    }
    let (unk_id, longest) = (model.unk_id, model.vocab.chars);
    let tried = !matches!(model.kind.as_deref(), Some("BPE" | "WordLevel"));
    let most = if tried { MAX_TRIED_LEN } else { MAX_TOKEN_LEN };
    if let Some(added) = added_tokens.iter().find(|added| added.content.len() > MAX_TOKEN_LEN) {
        return refused(format!("an added token has {} bytes, allowed are {MAX_TOKEN_LEN}", added.content.len()));
    }
    if model.vocab.bytes > most {
        return refused(format!("a token has {} bytes, allowed are {most}", model.vocab.bytes));
    }
    if model.dropout.is_some_and(|dropout| dropout != 0.0) {
        return refused("the model drops merges at random, so its tokens are not the same each time".into());
    }
    if let Some(chars) = model.max_input_chars_per_word.filter(|chars| *chars > MAX_WORD) {
        return refused(format!("max_input_chars_per_word is {chars}, allowed are {MAX_WORD}"));
    }
    let looking = added_tokens.iter().filter(|added| added.single_word || added.lstrip).count();
    if looking > MAX_LOOKING {
        return refused(format!("{looking} added tokens look at what is beside them, allowed are {MAX_LOOKING}"));
    }
    // The library normalises added tokens when it reads them, so this is known before.
    let pieces = Pieces::between(added_tokens.iter().map(|added| added.content.len()).min());
    let first = growth::normalizer(&seen_by_the_library(normalizer.0)?, pieces)?;
    let added: u64 = added_tokens.iter().map(|added| added.content.len() as u64).sum();
    if added.saturating_mul(first) > MAX_ADDED {
        return refused(format!("{added} bytes of added tokens may become more than {MAX_ADDED}"));
    }
    let inner = guarded(|| {
        let mut inner = Tokenizer::from_bytes(json)?;
        inner.with_padding(None);
        inner.with_truncation(None)?;
        Ok(inner)
    })?;
    let written = |part: serde_json::Result<Value>| part.map_err(|error| Error::Tokenizer(error.to_string()));
    let pieces = if inner.get_normalizer().is_some() { pieces } else { Pieces::between(None) };
    let second = growth::pre_tokenizer(&written(serde_json::to_value(inner.get_pre_tokenizer()))?, pieces)?;
    growth::decoder(&written(serde_json::to_value(inner.get_decoder()))?)?;
    let growth = first.saturating_mul(second);
    if growth > growth::MAX_GROWTH {
        let most = growth::MAX_GROWTH;
        return refused(format!(
            "normalizer and pre-tokenizer together may make a text {growth} times as long, allowed are {most}"
        ));
    }
    let around = inner.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
    if around > MAX_AROUND {
        return refused(format!("the post-processor puts {around} tokens around a text, allowed are {MAX_AROUND}"));
    }
    let unknown = match inner.get_model() {
        ModelWrapper::BPE(model) => model.unk_token.as_deref().and_then(|token| model.token_to_id(token)),
        ModelWrapper::WordPiece(model) => model.token_to_id(&model.unk_token),
        ModelWrapper::WordLevel(model) => model.token_to_id(&model.unk_token),
        ModelWrapper::Unigram(_) => unk_id,
    };
    Ok(Described { inner, growth, longest, unknown })
}

/// A normalizer as the library understood it, written again.
fn seen_by_the_library(normalizer: Value) -> Result<Value, Error> {
    if normalizer.is_null() {
        return Ok(Value::Null);
    }
    guarded(|| {
        // From a text, because parts of the library read borrowed ones only.
        let read: NormalizerWrapper = serde_json::from_str(&normalizer.to_string())?;
        Ok(serde_json::to_value(read)?)
    })
}

/// Checks all patterns of a part, wherever they are: the library compiles them when it reads them.
fn patterns(part: &Value) -> Result<(), Error> {
    match part {
        Value::Array(parts) => parts.iter().try_for_each(patterns),
        Value::Object(parts) => parts.iter().try_for_each(|(key, value)| match value.as_str() {
            Some(pattern) if key == "Regex" => check_split(pattern),
            _ => patterns(value),
        }),
        _ => Ok(()),
    }
}

/// The length of the longest token of a vocabulary, none of which is kept.
#[derive(Clone, Copy, Debug, Default)]
struct Longest {
    bytes: usize,
    chars: usize,
}

impl Longest {
    fn see(&mut self, token: &str) {
        self.bytes = self.bytes.max(token.len());
        if token.len() > self.chars {
            self.chars = self.chars.max(token.chars().count());
        }
    }
}

impl<'de> Deserialize<'de> for Longest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Vocabulary)
    }
}

/// `{"token": id}`, or `[["token", score]]`.
struct Vocabulary;

impl<'de> Visitor<'de> for Vocabulary {
    type Value = Longest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vocabulary")
    }

    fn visit_unit<E>(self) -> Result<Longest, E> {
        Ok(Longest::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Longest, A::Error> {
        let mut longest = Longest::default();
        while let Some((token, IgnoredAny)) = entries.next_entry::<String, IgnoredAny>()? {
            longest.see(&token);
        }
        Ok(longest)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Longest, A::Error> {
        let mut longest = Longest::default();
        while let Some((token, IgnoredAny)) = list.next_element::<(String, IgnoredAny)>()? {
            longest.see(&token);
        }
        Ok(longest)
    }
}
