//! Control words: texts that a tokenizer makes one token of, and with which templates build turns.
//!
//! What comes from a message must never become one. So the signs of which control words consist are replaced in
//! messages by others that occur nowhere, each by one: a template sees, cuts, joins and repeats a message as ever, but a
//! control word that needs such a sign can only come from the template. Once the control words are found, the signs are
//! what they were. See [`Marks`].

use std::collections::{BTreeSet, HashSet};

use tokenizers::AddedToken;

/// Signs that control words of published models contain, in this order.
const USUAL: [char; 4] = ['<', '[', '|', '{'];
/// The first of the signs that nobody uses, by Unicode's word: planes 15 and 16 are private.
const FIRST_PRIVATE: u32 = 0xf_0000;
const LAST_PRIVATE: u32 = 0x10_fffd;

/// The control words of a tokenizer.
pub(super) struct Controls {
    /// Every control word has one of these.
    signs: Vec<char>,
    /// Private signs in added tokens, which cannot stand for others.
    private: HashSet<char>,
    /// Tokens that only a control word may become: all control words but the one for what is unknown.
    pub ids: HashSet<u32>,
    /// Whether one of them is looked for in what was normalised.
    pub normalized: bool,
}

/// Whether an added token controls the model: those that are called special, and those in brackets. Blanks and plain
/// words among the added tokens are text.
fn controls(token: &AddedToken) -> bool {
    let content = token.content.trim();
    let bracketed = [('<', '>'), ('[', ']'), ('{', '}')]
        .iter()
        .any(|(open, close)| content.len() > 2 && content.starts_with(*open) && content.ends_with(*close));
    !content.is_empty() && (token.special || bracketed)
}

/// The sign by which a control word is recognised.
fn sign(word: &str) -> Option<char> {
    let usual = USUAL.into_iter().find(|sign| word.contains(*sign));
    let other = |wanted: fn(&char) -> bool| word.chars().find(wanted);
    usual
        .or_else(|| other(char::is_ascii_punctuation))
        .or_else(|| other(|sign| !sign.is_ascii() && !sign.is_whitespace()))
        .or_else(|| other(char::is_ascii_uppercase))
        .or_else(|| other(|sign| !sign.is_whitespace()))
}

impl Controls {
    /// The control words of a tokenizer; `unknown` is the token for what its model does not know, which any text may become.
    pub(super) fn new(inner: &tokenizers::Tokenizer, unknown: Option<u32>) -> Self {
        let added = inner.get_added_tokens_decoder();
        let words: BTreeSet<&str> =
            added.values().filter(|token| controls(token)).map(|token| token.content.as_str()).collect();
        let mut signs: Vec<char> = Vec::new();
        for word in words {
            if !signs.iter().any(|sign| word.contains(*sign)) {
                signs.extend(sign(word));
            }
        }
        let found = added.iter().filter(|(id, token)| controls(token) && Some(**id) != unknown);
        let ids = found.map(|(id, _)| *id).collect();
        let normalized = added.values().any(|token| token.normalized && controls(token));
        let private = added.values().flat_map(|token| token.content.chars()).filter(|sign| is_private(*sign)).collect();
        Self { signs, private, ids, normalized }
    }

    /// Signs for those of control words that occur in none of these texts; `None` when there are not enough.
    pub(super) fn marks<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Option<Marks> {
        let mut used = self.private.clone();
        texts.for_each(|text| used.extend(text.chars().filter(|sign| is_private(*sign))));
        let mut free = (FIRST_PRIVATE..=LAST_PRIVATE).filter_map(char::from_u32).filter(|sign| !used.contains(sign));
        let pairs = self.signs.iter().map(|sign| Some((*sign, free.next()?))).collect::<Option<Vec<_>>>()?;
        Some(Marks { pairs })
    }
}

fn is_private(sign: char) -> bool {
    u32::from(sign) >= FIRST_PRIVATE
}

/// Signs that stand for those of control words in what comes from a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// What it is, and what stands for it.
    pairs: Vec<(char, char)>,
}

impl Marks {
    /// A message's text with its signs replaced.
    pub(crate) fn mark(&self, text: &str) -> String {
        let marked = |sign| self.pairs.iter().find(|pair| pair.0 == sign).map_or(sign, |pair| pair.1);
        text.chars().map(marked).collect()
    }

    /// The sign that another one stands for, or itself.
    pub(crate) fn meant(&self, sign: char) -> char {
        self.pairs.iter().find(|pair| pair.1 == sign).map_or(sign, |pair| pair.0)
    }

    /// Whether a text has signs that stand for others.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        !self.pairs.is_empty()
            && text.chars().any(|sign| is_private(sign) && self.pairs.iter().any(|pair| pair.1 == sign))
    }

    /// What a change of letters makes of a text, which looks at the signs beside them: it sees those that are meant, and the same ones stand for others afterwards.
    pub(crate) fn recased<E>(&self, text: &str, change: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
        let sign = |sign: char| self.pairs.iter().any(|(meant, mark)| *meant == sign || *mark == sign);
        let marked: Vec<bool> = text.chars().filter(|c| sign(*c)).map(|c| self.meant(c) != c).collect();
        let changed = change(&self.unmark(text))?;
        if changed.chars().filter(|c| sign(*c)).count() != marked.len() {
            // A sign that is a letter became another one.
            return change(text);
        }
        let mut marked = marked.into_iter();
        let again = |c: char| match sign(c) && marked.next() == Some(true) {
            true => self.pairs.iter().find(|pair| pair.0 == c).map_or(c, |pair| pair.1),
            false => c,
        };
        Ok(changed.chars().map(again).collect())
    }

    /// How many signs of a text stand for others.
    pub(crate) fn count_in(&self, text: &str) -> usize {
        if self.pairs.is_empty() {
            return 0;
        }
        text.chars().filter(|sign| is_private(*sign) && self.pairs.iter().any(|pair| pair.1 == *sign)).count()
    }

    /// A text with the signs that were meant.
    pub fn unmark(&self, text: &str) -> String {
        text.chars().map(|sign| self.meant(sign)).collect()
    }
}
