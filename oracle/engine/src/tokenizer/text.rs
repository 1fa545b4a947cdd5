//! Token ids become text again, one at a time, and never by halves of a character.

use std::collections::HashSet;

use tokenizers::{Decoder, DecoderWrapper};

use super::{Tokenizer, guarded};
use crate::error::Error;

/// A token that decoders leave as it is, to see what they make of the one after it.
const ANCHOR: &str = "x";

/// How a tokenizer's tokens become text.
pub(super) struct Pieces {
    /// Tokens that only the model should see.
    special: HashSet<u32>,
    spelling: Spelling,
}

/// What the tokens of a vocabulary are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// Each character stands for a byte, as GPT-2 writes them.
    Bytes,
    /// Text, and tokens such as `<0xE2>` for single bytes.
    TextAndBytes,
    /// Text.
    Text,
}

impl Pieces {
    pub(super) fn new(inner: &tokenizers::Tokenizer) -> Self {
        let added = inner.get_added_tokens_decoder();
        let special = added.iter().filter(|(_, token)| token.special).map(|(id, _)| *id).collect();
        Self { special, spelling: inner.get_decoder().map_or(Spelling::Text, spelling) }
    }
}

fn spelling(decoder: &DecoderWrapper) -> Spelling {
    match decoder {
        DecoderWrapper::ByteLevel(_) => Spelling::Bytes,
        DecoderWrapper::ByteFallback(_) => Spelling::TextAndBytes,
        DecoderWrapper::Sequence(parts) => {
            let parts = parts.get_decoders().iter().map(spelling);
            parts.reduce(|a, b| if a == Spelling::Text { b } else { a }).unwrap_or(Spelling::Text)
        }
        _ => Spelling::Text,
    }
}

/// The text of one sequence of tokens as it grows.
#[derive(Debug, Default)]
pub struct TextStream {
    /// Whether any token had text yet: tokenizers that write a space before each word leave the first one out.
    begun: bool,
    utf8: Utf8Stream,
}

impl TextStream {
    /// The text that the next token adds: nothing for a token that only the model should see, nor for a part of a
    /// character. Bytes that are no text become U+FFFD.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when the tokenizer fails. An id that it does not know has no text.
    pub fn push(&mut self, tokenizer: &Tokenizer, id: u32) -> Result<String, Error> {
        let pieces = &tokenizer.pieces;
        if pieces.special.contains(&id) {
            return Ok(String::new());
        }
        let Some(token) = tokenizer.inner.id_to_token(id) else { return Ok(String::new()) };
        let bytes = match pieces.spelling {
            Spelling::Bytes => spelled_bytes(&token).unwrap_or_else(|| token.into_bytes()),
            Spelling::TextAndBytes if let Some(byte) = named_byte(&token) => vec![byte],
            _ => self.text(tokenizer, token)?.into_bytes(),
        };
        self.begun = true;
        Ok(self.utf8.push(&bytes))
    }

    /// What is left when no token follows: U+FFFD for a character that was not completed.
    pub fn finish(&mut self) -> String {
        self.utf8.finish()
    }

    /// The text of a token that is not bytes, as the tokenizer's own decoder writes it.
    fn text(&self, tokenizer: &Tokenizer, token: String) -> Result<String, Error> {
        let decode = |tokens: Vec<String>| match tokenizer.inner.get_decoder() {
            Some(decoder) => guarded(|| decoder.decode(tokens)),
            None => Ok(tokens.join(" ")),
        };
        if !self.begun {
            return decode(vec![token]);
        }
        let text = decode(vec![ANCHOR.into(), token])?;
        Ok(text.strip_prefix(ANCHOR).map(Into::into).unwrap_or(text))
    }
}

/// The byte of a token such as `<0xE2>`.
fn named_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let both = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    both.then(|| u8::from_str_radix(digits, 16).ok())?
}

/// The bytes of a token in which each character stands for one; `None` when one of its characters stands for none.
fn spelled_bytes(token: &str) -> Option<Vec<u8>> {
    token.chars().map(spelled_byte).collect()
}

/// The byte that a character stands for: itself where it is visible, else the characters from U+0100 on stand for the
/// invisible bytes in their order.
fn spelled_byte(c: char) -> Option<u8> {
    let visible = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let code = u32::from(c);
    if code < 256 {
        return visible(code).then_some(code as u8);
    }
    (0u8..=255).filter(|byte| !visible(u32::from(*byte))).nth(code as usize - 256)
}

/// Bytes that become text as soon as characters are complete.
#[derive(Debug, Default)]
struct Utf8Stream {
    /// The beginning of a character, at most three bytes.
    pending: Vec<u8>,
}

impl Utf8Stream {
    fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        loop {
            let error = match std::str::from_utf8(&self.pending) {
                Ok(rest) => {
                    text.push_str(rest);
                    self.pending.clear();
                    return text;
                }
                Err(error) => error,
            };
            let valid = error.valid_up_to();
            text.push_str(&String::from_utf8_lossy(&self.pending[..valid]));
            let Some(wrong) = error.error_len() else {
                self.pending.drain(..valid);
                return text;
            };
            text.push(char::REPLACEMENT_CHARACTER);
            self.pending.drain(..valid + wrong);
        }
    }

    fn finish(&mut self) -> String {
        let left = std::mem::take(&mut self.pending);
        String::from_utf8_lossy(&left).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_spelled_by_one_character() {
        let mut seen = [false; 256];
        for c in (0..400).filter_map(char::from_u32) {
            if let Some(byte) = spelled_byte(c) {
                assert!(!std::mem::replace(&mut seen[byte as usize], true), "{byte}");
            }
        }
        assert_eq!(seen, [true; 256]);
        assert_eq!(spelled_bytes("Ġaé"), Some(vec![b' ', b'a', 0xe9]));
        assert_eq!(spelled_bytes("a b"), None);
    }

    #[test]
    fn bytes_become_the_same_text_however_they_are_cut() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..5_000 {
            let mut bytes = "aé€😀".repeat(2).into_bytes();
            for _ in 0..random.usize(..4) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(..=bytes.len()));
            let (mut stream, mut text, mut rest) = (Utf8Stream::default(), String::new(), bytes.as_slice());
            while !rest.is_empty() {
                let (part, left) = rest.split_at(random.usize(1..=rest.len()));
                text += &stream.push(part);
                rest = left;
            }
            text += &stream.finish();
            assert_eq!(text, String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn only_two_hexadecimal_digits_name_a_byte() {
        assert_eq!(["<0xE2>", "<0x+2>", "<0x2>", "<0xE22>", "0xE2", "<0xé>"].map(named_byte), {
            let mut expected = [None; 6];
            expected[0] = Some(0xe2);
            expected
        });
    }
}
