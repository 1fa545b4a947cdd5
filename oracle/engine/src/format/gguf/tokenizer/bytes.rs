//! "gpt2": byte-level pairs that are merged in the order of a list.

use serde_json::{Value, json};

use super::Tokens;
use crate::error::Error;

/// How a family of models cuts a text before pairs are merged.
struct Cut {
    /// The names that GGUF has for it.
    names: &'static [&'static str],
    /// Its steps.
    steps: Steps,
    /// Whether a piece that is a token as it stands is left alone.
    whole: bool,
    /// Whether a sequence begins with a token of its own, unless the file says otherwise.
    begins: bool,
    /// Whether texts are brought to one form of Unicode (NFC) first.
    composed: bool,
}

enum Steps {
    /// As GPT-2 has it.
    Plain,
    /// Every digit apart, then as GPT-2 has it.
    Digits,
    /// By an expression.
    Split(&'static str),
}

const CUTS: [Cut; 5] = [
    Cut {
        names: &["gpt-2", "phi-2", "olmo", "mpt"],
        steps: Steps::Plain,
        whole: false,
        begins: false,
        composed: false,
    },
    Cut {
        names: &["smollm", "starcoder", "refact", "codeshell"],
        steps: Steps::Digits,
        whole: false,
        begins: false,
        composed: false,
    },
    Cut {
        names: &["llama-bpe", "llama3", "llama-v3"],
        steps: Steps::Split(concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*",
            r"|\s*[\r\n]+|\s+(?!\S)|\s+"
        )),
        whole: true,
        begins: true,
        composed: false,
    },
    Cut {
        names: &["qwen2", "deepseek-r1-qwen"],
        steps: Steps::Split(concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*",
            r"|\s*[\r\n]+|\s+(?!\S)|\s+"
        )),
        whole: false,
        begins: false,
        composed: true,
    },
    Cut {
        names: &["tekken"],
        steps: Steps::Split(concat!(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
            r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
            r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )),
        whole: true,
        begins: true,
        composed: false,
    },
];

/// `tokenizer.json` of such tokens.
pub(super) fn json(tokens: &Tokens<'_>) -> Result<Value, Error> {
    let name = tokens.metadata.text("tokenizer.ggml.pre")?.unwrap_or("default");
    let Some(cut) = CUTS.iter().find(|cut| cut.names.contains(&name)) else {
        let known: Vec<&str> = CUTS.iter().flat_map(|cut| cut.names).copied().collect();
        let reason = format!("the GGUF file cuts texts as {name:?} does, known are {}", known.join(", "));
        return Err(Error::Import(reason));
    };
    let listed = tokens.metadata.texts("tokenizer.ggml.merges")?.unwrap_or_default();
    let mut merges = Vec::with_capacity(listed.len());
    for merge in listed {
        let pair = merge.split_once(' ').filter(|(left, right)| {
            [*left, right].iter().all(|part| tokens.ids.contains_key(part))
                && tokens.ids.contains_key(format!("{left}{right}").as_str())
        });
        let Some((left, right)) = pair else {
            return Err(Error::Import(format!("the GGUF file merges {merge:?}, which are no tokens")));
        };
        merges.push([left, right]);
    }
    let level =
        |regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex});
    let sequence = |first: Value, regex: bool| json!({"type": "Sequence", "pretokenizers": [first, level(regex)]});
    let cutter = match cut.steps {
        Steps::Plain => level(true),
        Steps::Digits => sequence(json!({"type": "Digits", "individual_digits": true}), true),
        Steps::Split(pattern) => sequence(
            json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false}),
            false,
        ),
    };
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": tokens.added(),
        "normalizer": if cut.composed { json!({"type": "NFC"}) } else { Value::Null },
        "pre_tokenizer": cutter,
        "post_processor": tokens.template(cut.begins)?,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": cut.whole,
            "vocab": tokens.vocabulary(), "merges": merges,
        },
    }))
}
