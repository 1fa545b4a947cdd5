//! `tokenizer.json`, as the `tokenizers` library reads it, from the metadata of a GGUF file.

mod bytes;
mod pieces;

use std::collections::HashMap;

use serde_json::{Value, json};

use super::metadata::Metadata;
use crate::error::Error;

/// The most tokens.
const MAX_TOKENS: usize = 1 << 20;
/// Types of tokens, as the sentencepiece library numbers them.
const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const BYTE: i64 = 6;
/// Control tokens that end a turn wherever they are in a vocabulary, although files do not always say so.
const ENDS: [&str; 6] = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>"];

/// What a file says of its tokens.
pub(crate) struct Tokens<'a> {
    metadata: &'a Metadata,
    kind: &'a str,
    texts: &'a [String],
    /// One per token, or none at all.
    types: &'a [i64],
    ids: HashMap<&'a str, u32>,
}

impl<'a> Tokens<'a> {
    /// Reads them; `None` where the file has none.
    ///
    /// # Errors
    /// [`Error::Import`] when the lists have different lengths or a token is repeated.
    pub(crate) fn read(metadata: &'a Metadata) -> Result<Option<Self>, Error> {
        let kind = metadata.text("tokenizer.ggml.model")?;
        let (Some(kind), Some(texts)) = (kind, metadata.texts("tokenizer.ggml.tokens")?) else { return Ok(None) };
        if texts.is_empty() || texts.len() > MAX_TOKENS {
            return Err(Error::Import(format!(
                "the GGUF file has {} tokens, allowed are 1 to {MAX_TOKENS}",
                texts.len()
            )));
        }
        let types = metadata.ints("tokenizer.ggml.token_type")?.unwrap_or_default();
        if !types.is_empty() && types.len() != texts.len() {
            let reason = format!("the GGUF file has {} tokens, but {} types of tokens", texts.len(), types.len());
            return Err(Error::Import(reason));
        }
        let mut ids = HashMap::with_capacity(texts.len());
        for (id, text) in texts.iter().enumerate() {
            // MAX_TOKENS fits.
            if let Some(first) = ids.insert(text.as_str(), id as u32) {
                let reason = format!("the GGUF file has the token {text:?} twice, as {first} and as {id}");
                return Err(Error::Import(reason));
            }
        }
        Ok(Some(Self { metadata, kind, texts, types, ids }))
    }

    /// The id of a special token.
    fn id(&self, name: &str) -> Result<Option<u32>, Error> {
        let key = format!("tokenizer.ggml.{name}_token_id");
        match self.metadata.u32(&key)? {
            Some(id) if id as usize >= self.texts.len() => {
                Err(Error::Import(format!("the metadata entry {key:?} is {id}, there are {} tokens", self.texts.len())))
            }
            id => Ok(id),
        }
    }

    /// The text of the token that begins ("bos") or ends ("eos") a sequence.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.id(name)?.map(|id| self.texts[id as usize].clone()))
    }

    /// The tokens that end an answer, in order.
    pub(crate) fn stops(&self) -> Result<Vec<u32>, Error> {
        let mut stops = Vec::new();
        for name in ["eos", "eot", "eom"] {
            stops.extend(self.id(name)?);
        }
        let control = |id: &&u32| self.kind_of(**id as usize) == CONTROL;
        stops.extend(ENDS.iter().filter_map(|text| self.ids.get(text)).filter(control));
        stops.sort_unstable();
        stops.dedup();
        Ok(stops)
    }

    /// The type of a token.
    fn kind_of(&self, id: usize) -> i64 {
        self.types.get(id).copied().unwrap_or(1)
    }

    /// `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Import`] when the tokenizer is of a kind that is not known here, or contradicts itself.
    pub(crate) fn json(&self) -> Result<Vec<u8>, Error> {
        let mut json = match self.kind {
            "gpt2" => bytes::json(self)?,
            "llama" => pieces::json(self)?,
            other => {
                return Err(Error::Import(format!(
                    "the GGUF file has a tokenizer of the kind {other:?}, known are gpt2 and llama"
                )));
            }
        };
        // The same bytes however the JSON library keeps its objects.
        json.sort_all_objects();
        Ok(json.to_string().into_bytes())
    }

    /// Every token with its id.
    fn vocabulary(&self) -> Value {
        self.ids.iter().map(|(text, id)| ((*text).to_owned(), json!(id))).collect::<serde_json::Map<_, _>>().into()
    }

    /// The tokens that are found in a text before it is cut: those that control the model, and those that somebody added.
    fn added(&self) -> Vec<Value> {
        let kinds = [UNKNOWN, CONTROL, USER_DEFINED];
        let added = self.texts.iter().enumerate().filter(|(id, _)| kinds.contains(&self.kind_of(*id)));
        added
            .map(|(id, text)| {
                json!({
                    "id": id, "content": text, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": self.kind_of(id) != USER_DEFINED,
                })
            })
            .collect()
    }

    /// What puts the tokens that begin and end a sequence around one; null where neither does.
    fn template(&self, begins: bool) -> Result<Value, Error> {
        let wanted = |key: &str, default| Ok::<_, Error>(self.metadata.bool(key)?.unwrap_or(default));
        let bos = wanted("tokenizer.ggml.add_bos_token", begins)?.then(|| self.id("bos")).transpose()?.flatten();
        let eos = wanted("tokenizer.ggml.add_eos_token", false)?.then(|| self.id("eos")).transpose()?.flatten();
        if bos.is_none() && eos.is_none() {
            return Ok(Value::Null);
        }
        let special = |id: Option<u32>, kind: u32| {
            id.map(|id| json!({"SpecialToken": {"id": self.texts[id as usize], "type_id": kind}}))
        };
        let part = |name: &str, kind: u32| {
            let sequence = json!({"Sequence": {"id": name, "type_id": kind}});
            [special(bos, kind), Some(sequence), special(eos, kind)].into_iter().flatten().collect::<Vec<_>>()
        };
        let used = [bos, eos].into_iter().flatten().map(|id| {
            let text = &self.texts[id as usize];
            (text.clone(), json!({"id": text, "ids": [id], "tokens": [text]}))
        });
        let pair = [part("A", 0), part("B", 1)].concat();
        Ok(json!({
            "type": "TemplateProcessing",
            "single": part("A", 0),
            "pair": pair,
            "special_tokens": used.collect::<serde_json::Map<_, _>>(),
        }))
    }
}
