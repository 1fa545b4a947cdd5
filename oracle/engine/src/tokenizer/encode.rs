//! Texts become ids, step by step as the `tokenizers` library takes them, with limits asked between the steps.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use tokenizers::{
    AddedToken, Encoding, Model as _, ModelWrapper, NormalizedString, Normalizer, OffsetType, PreTokenizedString,
    PreTokenizer as _, PreTokenizerWrapper, Result, pattern::Invert, pre_tokenizers::split::SplitPattern,
};

use super::{
    controls::{Controls, Marks},
    pattern::Places,
};
use crate::{error::Error, patience::Patience};

/// Bytes that may be looked at again for added tokens that look at what is beside them: for each, all before it.
const MAX_LOOKED_AT: usize = 1 << 28;

/// What a tokenizer's description says about how texts are cut, prepared once.
pub(super) struct Encoder {
    /// The patterns at which texts are cut.
    places: HashMap<String, Places>,
    /// Added tokens that look at what is beside them: their texts, and whether these are looked for after normalising.
    looking: Vec<(String, bool)>,
    most_bytes: usize,
}

/// One text on its way.
pub(super) struct Pass<'a> {
    pub inner: &'a tokenizers::Tokenizer,
    pub controls: &'a Controls,
    pub marks: &'a Marks,
    pub patience: Patience,
}

impl Encoder {
    /// Prepares the patterns; `longest` is the length in characters of the model's longest token.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when a pattern cannot be read.
    pub(super) fn new(inner: &tokenizers::Tokenizer, longest: usize) -> std::result::Result<Self, Error> {
        let mut places = HashMap::new();
        if let Some(pre_tokenizer) = inner.get_pre_tokenizer() {
            collect(pre_tokenizer, &mut places)?;
        }
        let added = inner.get_added_tokens_decoder();
        let looking = added.values().filter(|token| token.single_word || token.lstrip);
        let looking = looking
            .map(|token| (token.content.clone(), token.normalized && inner.get_normalizer().is_some()))
            .collect();
        let most_bytes = most_bytes(inner, longest, added.values());
        Ok(Self { places, looking, most_bytes })
    }

    /// The most bytes of a text that may become one token.
    pub(super) fn most_bytes(&self) -> usize {
        self.most_bytes
    }

    /// The ids of a text.
    ///
    /// # Errors
    /// Those of the library; [`Error::Preparation`] and [`Error::Request`].
    pub(super) fn encode(&self, pass: &Pass<'_>, text: &str, add_special: bool) -> Result<Vec<u32>> {
        self.look(text)?;
        let Pass { inner, controls, marks, patience } = pass;
        let normalizer = Unmarking { pass, early: !controls.normalized, lost: AtomicBool::new(false) };
        let mut pieces = inner.get_added_vocabulary().extract_and_normalize(Some(&normalizer), text);
        // Errors of normalizers are not handed on, as the library has it; time that ran out is seen here.
        patience.check()?;
        if normalizer.lost.load(Ordering::Relaxed) {
            let reason = "a message has signs of control words, which this tokenizer's normalizer does not tell apart";
            return Err(Box::new(Error::Request(reason.into())));
        }
        if !normalizer.early {
            pieces.normalize(|piece| {
                unmark(piece, marks);
                Ok(())
            })?;
        }
        if let Some(pre_tokenizer) = inner.get_pre_tokenizer() {
            self.cut(pre_tokenizer, &mut pieces, *patience)?;
        }
        let model = inner.get_model();
        let marked = **marks != Marks::default();
        pieces.tokenize(|piece| {
            patience.check()?;
            let tokens = model.tokenize(piece.get())?;
            match tokens.iter().find(|token| marked && controls.ids.contains(&token.id)) {
                Some(token) => Err(Box::new(Error::Request(format!(
                    "a message has the text {:?}, which this model knows as a control token only",
                    token.value
                )))),
                None => Ok(tokens),
            }
        })?;
        let encoding: Encoding = pieces.into_encoding(None, 0, OffsetType::None)?;
        Ok(inner.post_process(encoding, None, add_special)?.get_ids().to_vec())
    }

    /// Fails when too much would be looked at again for the sake of added tokens.
    fn look(&self, text: &str) -> Result<()> {
        for (content, normalized) in &self.looking {
            // After normalising, each of its bytes may begin one.
            let found = if *normalized { text.len() } else { text.matches(content.as_str()).count() };
            if found.saturating_mul(text.len()) > MAX_LOOKED_AT {
                let len = text.len();
                return Err(Box::new(Error::Preparation(format!(
                    "a text of {len} bytes may have {found} times {content:?}, before each of which the tokenizer looks back"
                ))));
            }
        }
        Ok(())
    }

    fn cut(&self, part: &PreTokenizerWrapper, pieces: &mut PreTokenizedString, patience: Patience) -> Result<()> {
        patience.check()?;
        match part {
            PreTokenizerWrapper::Sequence(parts) => {
                parts.as_ref().iter().try_for_each(|part| self.cut(part, pieces, patience))
            }
            PreTokenizerWrapper::Split(split) => match &split.pattern {
                SplitPattern::Regex(pattern) if let Some(places) = self.places.get(pattern) => {
                    pieces.split(|_, piece| match split.invert {
                        true => piece.split(Invert(places.watched(patience)), split.behavior),
                        false => piece.split(places.watched(patience), split.behavior),
                    })
                }
                _ => split.pre_tokenize(pieces),
            },
            part => part.pre_tokenize(pieces),
        }
    }
}

/// Prepares the patterns of a pre-tokenizer.
fn collect(part: &PreTokenizerWrapper, places: &mut HashMap<String, Places>) -> std::result::Result<(), Error> {
    match part {
        PreTokenizerWrapper::Sequence(parts) => parts.as_ref().iter().try_for_each(|part| collect(part, places)),
        PreTokenizerWrapper::Split(split) => {
            if let SplitPattern::Regex(pattern) = &split.pattern {
                places.insert(pattern.clone(), Places::new(pattern)?);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The most bytes that one token may stand for. Known where every byte becomes a sign and none is lost.
fn most_bytes<'t>(
    inner: &tokenizers::Tokenizer,
    longest: usize,
    added: impl Iterator<Item = &'t AddedToken> + Clone,
) -> usize {
    let keeps = match inner.get_pre_tokenizer() {
        Some(PreTokenizerWrapper::ByteLevel(_)) => true,
        Some(PreTokenizerWrapper::Sequence(parts)) => {
            let parts: &[PreTokenizerWrapper] = parts.as_ref();
            let keeps = |part: &PreTokenizerWrapper| match part {
                PreTokenizerWrapper::Split(split) => split.behavior != tokenizers::SplitDelimiterBehavior::Removed,
                PreTokenizerWrapper::Digits(_) | PreTokenizerWrapper::ByteLevel(_) => true,
                _ => false,
            };
            parts.iter().all(keeps) && matches!(parts.last(), Some(PreTokenizerWrapper::ByteLevel(_)))
        }
        _ => false,
    };
    let ModelWrapper::BPE(model) = inner.get_model() else { return usize::MAX };
    let whole = tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet()
        .iter()
        .all(|sign| model.token_to_id(sign.encode_utf8(&mut [0; 4])).is_some());
    let strips = added.clone().any(|token| token.lstrip || token.rstrip);
    if !keeps || !whole || strips || inner.get_normalizer().is_some() {
        return usize::MAX;
    }
    longest.max(added.map(|token| token.content.len()).max().unwrap_or(0)).max(1)
}

/// A normalizer before which, once the control words are found, a text gets the signs that were meant.
struct Unmarking<'a> {
    pass: &'a Pass<'a>,
    /// Not where control words are looked for in what was normalised: there it comes after.
    early: bool,
    /// Whether the normalizer made something else of the signs.
    lost: AtomicBool,
}

impl Normalizer for Unmarking<'_> {
    fn normalize(&self, text: &mut NormalizedString) -> Result<()> {
        self.pass.patience.check()?;
        if self.early {
            unmark(text, self.pass.marks);
        }
        let before = self.pass.marks.count_in(text.get());
        self.pass.inner.get_normalizer().map_or(Ok(()), |normalizer| normalizer.normalize(text))?;
        if self.pass.marks.count_in(text.get()) != before {
            self.lost.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn unmark(text: &mut NormalizedString, marks: &Marks) {
    if marks.are_in(text.get()) {
        text.map(|sign| marks.meant(sign));
    }
}
