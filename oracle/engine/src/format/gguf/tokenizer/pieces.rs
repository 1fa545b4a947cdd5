//! "llama": pieces of the sentencepiece library's pair encoding, where of all neighbours those are merged first that
//! give the piece with the highest score.

use serde_json::{Value, json};

use super::{BYTE, Tokens, UNKNOWN};
use crate::error::Error;

/// The longest piece, in bytes: how many merges are looked for grows with it.
const MAX_PIECE: usize = 256;
/// What stands for a blank.
const BLANK: &str = "\u{2581}";

/// `tokenizer.json` of such tokens.
pub(super) fn json(tokens: &Tokens<'_>) -> Result<Value, Error> {
    let scores = tokens.metadata.floats("tokenizer.ggml.scores")?.unwrap_or_default();
    if scores.len() != tokens.texts.len() || scores.iter().any(|score| score.is_nan()) {
        let count = tokens.texts.len();
        return Err(Error::Import(format!("the GGUF file has {count} tokens, but no score for each of them")));
    }
    if let Some(long) = tokens.texts.iter().find(|text| text.len() > MAX_PIECE) {
        return Err(Error::Import(format!("the GGUF file has a token of {} bytes, more than {MAX_PIECE}", long.len())));
    }
    let unknown = (0..tokens.texts.len()).find(|id| tokens.kind_of(*id) == UNKNOWN);
    let bytes = (0..tokens.texts.len()).filter(|id| tokens.kind_of(*id) == BYTE).count();
    if bytes != 0 && !(0..=255u8).all(|byte| tokens.ids.contains_key(format!("<0x{byte:02X}>").as_str())) {
        return Err(Error::Import("the GGUF file has tokens for some bytes, but not for all".into()));
    }
    let prefix = tokens.metadata.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
    let blanks = json!({"type": "Replace", "pattern": {"String": " "}, "content": BLANK});
    let first = prefix.then(|| json!({"type": "Prepend", "prepend": BLANK}));
    let strip = prefix.then(|| json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    let decoders = [
        Some(json!({"type": "Replace", "pattern": {"String": BLANK}, "content": " "})),
        Some(json!({"type": "ByteFallback"})),
        Some(json!({"type": "Fuse"})),
        strip,
    ];
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": tokens.added(),
        "normalizer": {"type": "Sequence", "normalizers": first.into_iter().chain([blanks]).collect::<Vec<_>>()},
        "pre_tokenizer": null,
        "post_processor": tokens.template(true)?,
        "decoder": {"type": "Sequence", "decoders": decoders.into_iter().flatten().collect::<Vec<_>>()},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": unknown.map(|id| &tokens.texts[id]),
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
            "byte_fallback": bytes != 0, "ignore_merges": false,
            "vocab": tokens.vocabulary(), "merges": merges(tokens, scores),
        },
    }))
}

/// Every pair of tokens that together are a token, those first that give the highest score; among equals those with
/// the longer left part, as the `transformers` library sorts them.
fn merges<'a>(tokens: &Tokens<'a>, scores: &[f32]) -> Vec<[&'a str; 2]> {
    let mut merges = Vec::new();
    for (text, score) in tokens.texts.iter().zip(scores) {
        // Special and byte tokens are never made of others.
        let Some(id) = tokens.ids.get(text.as_str()).filter(|id| [1, 5].contains(&tokens.kind_of(**id as usize)))
        else {
            continue;
        };
        for (at, _) in text.char_indices().skip(1) {
            let (left, right) = text.split_at(at);
            if let (Some(l), Some(r)) = (tokens.ids.get(left), tokens.ids.get(right)) {
                merges.push((*score, left.chars().count(), *id, (*l, *r), [left, right]));
            }
        }
    }
    merges.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)).then(a.3.cmp(&b.3)));
    merges.into_iter().map(|merge| merge.4).collect()
}
