//! What the files beside a model's weights say of special tokens and of chats.

use std::path::Path;

use serde_json::Value;

use super::{parsed, read};
use crate::error::Error;

/// The longest of these files that is read: some repeat every added token.
const MAX_LEN: u64 = 16 << 20;

/// What they say.
pub(super) struct Special {
    pub chat_template: Option<String>,
    pub bos: Option<String>,
    pub eos: Option<String>,
    pub stops: Vec<u32>,
}

impl Special {
    /// Reads them, as far as they are there.
    pub(super) fn read(folder: &Path, config: &Value, tokenizer: Option<&[u8]>) -> Result<Self, Error> {
        let file = |name: &str| parsed(&folder.join(name), MAX_LEN).map(Option::unwrap_or_default);
        let (settings, map) = (file("tokenizer_config.json")?, file("special_tokens_map.json")?);
        let generation = file("generation_config.json")?;
        let added = Added::read(tokenizer);
        // The texts are said by name, or by the id that the model's own configuration has.
        let text = |name: &str| {
            let named = [&settings, &map].into_iter().find_map(|file| token_text(&file[format!("{name}_token")]));
            named.or_else(|| added.text(id(&config[format!("{name}_token_id")])?))
        };
        let (bos, eos) = (text("bos"), text("eos"));
        let mut stops = Vec::new();
        for (name, file) in [("generation_config.json", &generation), ("config.json", config)] {
            stops.extend(ids(&file["eos_token_id"]).map_err(|reason| Error::Import(format!("{name}: {reason}")))?);
        }
        stops.extend(eos.as_deref().and_then(|eos| added.id(eos)));
        stops.sort_unstable();
        stops.dedup();
        let chat_template = match read(&folder.join("chat_template.jinja"), MAX_LEN)? {
            Some(bytes) => {
                Some(String::from_utf8(bytes).map_err(|_| Error::Import("chat_template.jinja is not UTF-8".into()))?)
            }
            None => template(&settings["chat_template"])
                .map_err(|reason| Error::Import(format!("tokenizer_config.json: {reason}")))?,
        };
        Ok(Self { chat_template, bos, eos, stops })
    }
}

/// The added tokens of a `tokenizer.json`.
struct Added(Vec<(u32, String)>);

impl Added {
    fn read(tokenizer: Option<&[u8]>) -> Self {
        /// All that is read of it here.
        #[derive(serde::Deserialize)]
        struct Json {
            #[serde(default)]
            added_tokens: Vec<Token>,
        }
        #[derive(serde::Deserialize)]
        struct Token {
            id: u32,
            content: String,
        }
        // Whoever uses the tokenizer says what is wrong with it.
        let json =
            tokenizer.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or(Json { added_tokens: vec![] });
        Self(json.added_tokens.into_iter().map(|token| (token.id, token.content)).collect())
    }

    fn text(&self, id: u32) -> Option<String> {
        self.0.iter().find(|token| token.0 == id).map(|token| token.1.clone())
    }

    fn id(&self, text: &str) -> Option<u32> {
        self.0.iter().find(|token| token.1 == text).map(|token| token.0)
    }
}

/// A token's text: as it is, or as the content of an object.
fn token_text(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value["content"].as_str()).map(Into::into)
}

fn id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|id| id.try_into().ok())
}

/// No id, one, or a list of them.
fn ids(value: &Value) -> Result<Vec<u32>, String> {
    let one = |value: &Value| id(value).ok_or_else(|| format!("eos_token_id has {value}, which is no token"));
    match value {
        Value::Null => Ok(vec![]),
        Value::Array(list) => list.iter().map(one).collect(),
        value => one(value).map(|id| vec![id]),
    }
}

/// A template as it is, or the default one of a list of `{"name", "template"}`; the only one is the default.
fn template(value: &Value) -> Result<Option<String>, String> {
    let list = match value {
        Value::Null => return Ok(None),
        Value::String(text) => return Ok(Some(text.clone())),
        Value::Array(list) => list,
        _ => return Err("chat_template is neither a text nor a list".into()),
    };
    let default = list.iter().find(|entry| entry["name"] == "default").or(match &list[..] {
        [one] => Some(one),
        _ => None,
    });
    let text = default.and_then(|entry| entry["template"].as_str());
    text.map(|text| Some(text.into())).ok_or_else(|| "chat_template is a list without a default".into())
}
