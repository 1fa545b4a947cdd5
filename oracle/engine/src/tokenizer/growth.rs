//! By how many times a text may grow on its way through a tokenizer, from the tokenizer's own description.
//!
//! Each part has an upper bound, and the bounds of parts that follow each other multiply. The parts are seen as the
//! library that runs them writes them, so that nothing is read here in another way than there. A part of a kind that is
//! not known here is refused by its name.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

use super::pattern::{check_replace, shortened};
use crate::error::Error;

/// The most that all parts together may make of a text. Published tokenizers have at most 132.
pub(super) const MAX_GROWTH: u64 = 512;
/// The longest text, in bytes, that is put before something.
const MAX_PREPENDED: usize = 64;
/// The most parts in a sequence, and how deep sequences may lie in each other.
const MAX_PARTS: usize = 32;
const MAX_DEPTH: usize = 8;

/// What a text is cut into before some part sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces {
    /// The fewest bytes of two that follow each other.
    least: u64,
}

impl Pieces {
    /// A text that is cut at the places of added tokens, the shortest of which has so many bytes.
    pub(super) fn between(shortest: Option<usize>) -> Self {
        Self { least: shortest.map_or(u64::MAX, |len| len.max(1) as u64) }
    }

    /// The growth when so many bytes are added to each.
    fn each(self, bytes: usize) -> u64 {
        1 + (bytes as u64).div_ceil(self.least)
    }
}

/// A part of a tokenizer, for errors: "normalizer", "pre-tokenizer" or "decoder".
struct Walk {
    part: &'static str,
    pieces: Pieces,
    growth: u64,
}

impl Walk {
    fn refused(&self, reason: &str) -> Error {
        Error::Tokenizer(format!("the {} {reason}", self.part))
    }

    /// Multiplies; `what` is the component for the error.
    fn times(&mut self, what: &str, factor: u64) -> Result<(), Error> {
        self.growth = self.growth.saturating_mul(factor.max(1));
        if self.growth > MAX_GROWTH {
            let growth = self.growth;
            return Err(self.refused(&format!(
                "may make a text {growth} times as long, by {what} at the latest; allowed are {MAX_GROWTH}"
            )));
        }
        Ok(())
    }

    fn sequence(
        &mut self,
        parts: &Value,
        depth: usize,
        one: fn(&mut Self, &Value, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let parts = parts.as_array().ok_or_else(|| self.refused("has a Sequence without parts"))?;
        if parts.len() > MAX_PARTS || depth == 0 {
            let len = parts.len();
            return Err(
                self.refused(&format!("has a Sequence of {len} parts, or too deep a one; allowed are {MAX_PARTS}"))
            );
        }
        parts.iter().try_for_each(|part| one(self, part, depth - 1))
    }

    fn normalizer(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        // The factors of Unicode's forms are those of its FAQ on normalisation, for UTF-8.
        match kind(value) {
            "Sequence" => self.sequence(&value["normalizers"], depth, Self::normalizer),
            "NFC" | "NFD" => self.times(kind(value), 3),
            "NFKC" | "NFKD" => self.times(kind(value), 11),
            // The longest lower-case letter has three bytes for two.
            "Lowercase" | "ByteLevel" => self.times(kind(value), 2),
            // Accents apart, blanks around Chinese signs, small letters.
            "BertNormalizer" => self.times("BertNormalizer", 12),
            "Strip" | "StripAccents" | "Nmt" => Ok(()),
            "Precompiled" => self.times("Precompiled", charsmap(value)?),
            "Prepend" => {
                let factor = self.prepended(value["prepend"].as_str().unwrap_or_default())?;
                self.times("Prepend", factor)
            }
            "Replace" => self.times(&replacing(value), replace(value)?),
            other => Err(self.refused(&format!("{other:?} is not known here"))),
        }
    }

    /// The growth when a text is put before each piece.
    fn prepended(&self, text: &str) -> Result<u64, Error> {
        if text.len() > MAX_PREPENDED {
            return Err(self.refused(&format!("prepends {} bytes, allowed are {MAX_PREPENDED}", text.len())));
        }
        Ok(self.pieces.each(text.len()))
    }

    fn pre_tokenizer(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        match kind(value) {
            "Sequence" => self.sequence(&value["pretokenizers"], depth, Self::pre_tokenizer),
            "ByteLevel" => {
                let blank = value["add_prefix_space"].as_bool().unwrap_or(true);
                let factor = if blank { self.prepended(" ")? } else { 1 };
                self.times("ByteLevel", 2 * factor)?;
                self.cut();
                Ok(())
            }
            "Metaspace" => {
                // A piece gets the sign in its front only where it does not begin with one.
                let sign = value["replacement"].as_str().unwrap_or_default();
                self.times("Metaspace", 1 + sign.len() as u64)?;
                self.cut();
                Ok(())
            }
            "BertPreTokenizer" | "Whitespace" | "WhitespaceSplit" | "Punctuation" | "Digits" | "UnicodeScripts"
            | "CharDelimiterSplit" | "Split" => {
                self.cut();
                Ok(())
            }
            "FixedLength" if value["length"].as_u64().is_some_and(|length| length > 0) => {
                self.cut();
                Ok(())
            }
            other => Err(self.refused(&format!("{other:?} is not known here"))),
        }
    }

    /// From here on, each byte may be a piece.
    fn cut(&mut self) {
        self.pieces = Pieces { least: 1 };
    }

    fn decoder(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        match kind(value) {
            "Sequence" => self.sequence(&value["decoders"], depth, Self::decoder),
            "ByteLevel" | "ByteFallback" | "Fuse" | "Strip" => Ok(()),
            // A blank for each sign, or before a token; a byte that is no text has three as U+FFFD.
            "WordPiece" | "Metaspace" | "BPEDecoder" => self.times(kind(value), 2),
            "CTC" => self.times("CTC", 2),
            "Replace" => self.times(&replacing(value), replace(value)?),
            other => Err(self.refused(&format!("{other:?} is not known here"))),
        }
    }
}

fn kind(value: &Value) -> &str {
    value["type"].as_str().unwrap_or("without a type")
}

/// A replacement for an error.
fn replacing(value: &Value) -> String {
    let pattern = value["pattern"].as_object().and_then(|pattern| pattern.values().next()).and_then(Value::as_str);
    let content = value["content"].as_str().unwrap_or_default();
    let shown = pattern.map(shortened).unwrap_or_default();
    format!("Replace of {shown:?} by {} bytes", content.len())
}

/// The growth by a replacement.
fn replace(value: &Value) -> Result<u64, Error> {
    let content = value["content"].as_str().unwrap_or_default().len() as u64;
    let least = match (value["pattern"]["String"].as_str(), value["pattern"]["Regex"].as_str()) {
        (Some(""), _) => return Err(Error::Tokenizer("a Replace has an empty pattern".into())),
        (Some(text), _) => text.len(),
        (None, Some(pattern)) => check_replace(pattern)?,
        (None, None) => return Err(Error::Tokenizer("a Replace has neither a text nor a pattern".into())),
    };
    Ok(content.div_ceil(least as u64))
}

/// The growth by a table of the sentencepiece library: its longest entry, since each stands for a byte at least.
fn charsmap(value: &Value) -> Result<u64, Error> {
    let refused = || Error::Tokenizer("the Precompiled normalizer is damaged".into());
    let bytes = BASE64_STANDARD.decode(value["precompiled_charsmap"].as_str().unwrap_or_default());
    let bytes = bytes.map_err(|_| refused())?;
    let (len, rest) = bytes.split_first_chunk::<4>().ok_or_else(refused)?;
    let entries = rest.get(u32::from_le_bytes(*len) as usize..).ok_or_else(refused)?;
    Ok(entries.split(|byte| *byte == 0).map(<[u8]>::len).max().unwrap_or(0) as u64)
}

fn walk(
    part: &'static str,
    value: &Value,
    pieces: Pieces,
    one: fn(&mut Walk, &Value, usize) -> Result<(), Error>,
) -> Result<u64, Error> {
    let mut walk = Walk { part, pieces, growth: 1 };
    if !value.is_null() {
        one(&mut walk, value, MAX_DEPTH)?;
    }
    Ok(walk.growth)
}

/// The growth by a normalizer, as the library writes it.
///
/// # Errors
/// [`Error::Tokenizer`] when that is too much, or when a part is not known.
pub(super) fn normalizer(value: &Value, pieces: Pieces) -> Result<u64, Error> {
    walk("normalizer", value, pieces, Walk::normalizer)
}

/// The growth by a pre-tokenizer.
///
/// # Errors
/// As [`normalizer`].
pub(super) fn pre_tokenizer(value: &Value, pieces: Pieces) -> Result<u64, Error> {
    walk("pre-tokenizer", value, pieces, Walk::pre_tokenizer)
}

/// The growth by a decoder, which sees one token at a time.
///
/// # Errors
/// As [`normalizer`].
pub(super) fn decoder(value: &Value) -> Result<u64, Error> {
    walk("decoder", value, Pieces { least: 1 }, Walk::decoder)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn replace(pattern: &str, content: &str) -> Value {
        json!({"type": "Replace", "pattern": {"String": pattern}, "content": content})
    }

    #[test]
    fn parts_multiply() {
        let pieces = Pieces::between(Some(3));
        let llama = json!({"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"}, replace(" ", "▁")]});
        assert_eq!(normalizer(&llama, pieces).unwrap(), 6);
        assert_eq!(normalizer(&Value::Null, pieces).unwrap(), 1);
        let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
        assert_eq!(pre_tokenizer(&bytes, pieces).unwrap(), 2);
        // XLM-RoBERTa, but for its table.
        let metaspace = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
        let sequence = json!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]});
        assert_eq!(pre_tokenizer(&sequence, pieces).unwrap(), 4);
    }

    #[test]
    fn what_explodes_is_refused_with_component_and_number() {
        let pieces = Pieces::between(None);
        let error = normalizer(&replace("w", &"w".repeat(1_000_000)), pieces).unwrap_err().to_string();
        assert_eq!(
            error,
            "tokenizer: the normalizer may make a text 1000000 times as long, by Replace of \"w\" by 1000000 bytes at the \
             latest; allowed are 512"
        );
        let doubling: Vec<Value> = vec![replace("w", "ww"); 30];
        let error = normalizer(&json!({"type": "Sequence", "normalizers": doubling}), pieces).unwrap_err().to_string();
        assert!(error.contains("1024 times as long"), "{error}");
        let many: Vec<Value> = vec![json!({"type": "NFC"}); 40];
        let error = normalizer(&json!({"type": "Sequence", "normalizers": many}), pieces).unwrap_err().to_string();
        assert!(error.contains("a Sequence of 40 parts"), "{error}");
        let error = decoder(&replace("w", &"w".repeat(600))).unwrap_err().to_string();
        assert!(error.contains("the decoder may make a text 600 times as long"), "{error}");
        let error = normalizer(&json!({"type": "Prepend", "prepend": "a".repeat(65)}), pieces).unwrap_err();
        assert!(error.to_string().contains("prepends 65 bytes"), "{error}");
        let error = pre_tokenizer(&json!({"type": "Doubler"}), pieces).unwrap_err().to_string();
        assert_eq!(error, "tokenizer: the pre-tokenizer \"Doubler\" is not known here");
        let table = BASE64_STANDARD.encode([&[0, 0, 0, 0][..], &vec![b'x'; 700], &[0]].concat());
        let error = normalizer(&json!({"type": "Precompiled", "precompiled_charsmap": table}), pieces).unwrap_err();
        assert!(error.to_string().contains("700 times"), "{error}");
    }
}
