//! A published model: its weights, what describes them, and what its texts are made of.

mod special;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{file_len, gguf::Gguf, safetensors, weights::Weights};
use crate::error::Error;
use special::Special;

/// The longest `config.json` that is read.
const MAX_CONFIG_LEN: u64 = 1 << 20;
/// The longest `tokenizer.json` that is read.
const MAX_TOKENIZER_LEN: u64 = 64 << 20;

/// A published model.
#[derive(Debug)]
pub struct Checkpoint {
    /// Its weights, which are read when they are asked for; names and layouts as the `transformers` library has them.
    pub weights: Weights,
    /// `config.json`, or what a GGUF file says in its terms.
    pub config: Value,
    /// `tokenizer.json`, or what a GGUF file says in its terms.
    pub tokenizer: Option<Vec<u8>>,
    /// The template that makes a prompt of a chat.
    pub chat_template: Option<String>,
    /// The text of the token that begins a sequence.
    pub bos: Option<String>,
    /// The text of the token that ends a sequence.
    pub eos: Option<String>,
    /// The tokens that end an answer, each once, in order.
    pub stops: Vec<u32>,
    /// What identifies the weights, lower-case hex: the SHA-256 of the file; of shards that of the list which
    /// `sha256sum` prints for the index and then the shards in the order of their names.
    pub sha256: String,
}

impl Checkpoint {
    /// Opens a folder or a `.gguf` file.
    ///
    /// A folder has `config.json` and safetensors (see [`super::safetensors`]), or one `.gguf` file; for models of text
    /// also `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json`, `generation_config.json` and
    /// `chat_template.jinja`, as far as they are there. A GGUF file describes itself; `tokenizer.json` beside it is read
    /// only where its own tokenizer is of a kind that is not known here.
    ///
    /// # Errors
    /// [`Error::File`] when a file cannot be read; [`Error::Import`] and [`Error::ImportTensor`] when one is damaged,
    /// too long, contradictory or of a kind that is not known here. Weights are checked as far as that needs no
    /// reading of them.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            return Self::open_folder(path);
        }
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
            && let Some(len) = file_len(path)?
        {
            return Self::open_gguf(path, len);
        }
        // Says what is missing.
        Self::open_folder(path)
    }

    fn open_folder(folder: &Path) -> Result<Self, Error> {
        if let Some((weights, sha256)) = safetensors::open(folder)? {
            let config = json(&folder.join("config.json"), MAX_CONFIG_LEN)?;
            let tokenizer = read(&folder.join("tokenizer.json"), MAX_TOKENIZER_LEN)?;
            let Special { chat_template, bos, eos, stops } = Special::read(folder, &config, tokenizer.as_deref())?;
            return Ok(Self { weights, config, tokenizer, chat_template, bos, eos, stops, sha256 });
        }
        if let Some((path, len)) = find_gguf(folder)? {
            return Self::open_gguf(&path, len);
        }
        // A folder that is not there at all lacks this first.
        json(&folder.join("config.json"), MAX_CONFIG_LEN)?;
        let names = "model.safetensors nor model.safetensors.index.json nor a .gguf file";
        Err(Error::Import(format!("{} has neither {names}", folder.display())))
    }

    fn open_gguf(path: &Path, len: u64) -> Result<Self, Error> {
        super::check_len(&path.display().to_string(), len)?;
        let gguf = Gguf::open(path, len)?;
        let beside = path.with_file_name("tokenizer.json");
        Self::from_gguf(gguf, || read(&beside, MAX_TOKENIZER_LEN))
    }

    /// What the bytes of a GGUF file say, with nothing beside them.
    ///
    /// # Errors
    /// As for [`Checkpoint::open`].
    pub fn from_gguf_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        Self::from_gguf(Gguf::from_bytes(bytes)?, || Ok(None))
    }

    fn from_gguf(gguf: Gguf, beside: impl FnOnce() -> Result<Option<Vec<u8>>, Error>) -> Result<Self, Error> {
        let (tokenizer, bos, eos, stops) = match gguf.tokens()? {
            None => (beside()?, None, None, vec![]),
            Some(tokens) => {
                let json = match tokens.json() {
                    Ok(json) => json,
                    Err(Error::Import(reason)) => beside()?
                        .ok_or_else(|| Error::Import(format!("{reason}: put the model's tokenizer.json beside it")))?,
                    Err(error) => return Err(error),
                };
                (Some(json), tokens.text("bos")?, tokens.text("eos")?, tokens.stops()?)
            }
        };
        let chat_template = gguf.chat_template()?;
        let super::gguf::Contents { weights, config, sha256 } = gguf.contents()?;
        Ok(Self { weights, config, tokenizer, chat_template, bos, eos, stops, sha256 })
    }
}

/// The one GGUF file of a folder; several are an error, as nothing says which is meant.
fn find_gguf(folder: &Path) -> Result<Option<(PathBuf, u64)>, Error> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::read(folder)(error)),
    };
    for entry in entries {
        let path = entry.map_err(Error::read(folder))?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf")) {
            found.push(path);
        }
    }
    match &found[..] {
        [] => Ok(None),
        [one] => Ok(file_len(one)?.map(|len| (one.clone(), len))),
        _ => {
            let reason = format!("{} has {} .gguf files: say which one", folder.display(), found.len());
            Err(Error::Import(reason))
        }
    }
}

/// The bytes of a file that is at most so long; `None` where there is none.
fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Error> {
    use std::io::Read as _;
    if file_len(path)?.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(Error::read(path))?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(Error::read(path))?;
    if bytes.len() as u64 > most {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return Err(Error::Import(format!("{name} has more than {most} bytes")));
    }
    Ok(Some(bytes))
}

/// The JSON of a file that must be there.
fn json(path: &Path, most: u64) -> Result<Value, Error> {
    parsed(path, most)?.ok_or_else(|| Error::read(path)(std::io::ErrorKind::NotFound.into()))
}

/// The JSON of a file; `None` where there is none.
fn parsed(path: &Path, most: u64) -> Result<Option<Value>, Error> {
    let Some(bytes) = read(path, most)? else { return Ok(None) };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    crate::json::unique(&bytes).map(Some).map_err(|e| Error::Import(format!("{name}: {e}")))
}
