//! GGUF, the format of llama.cpp: one file that holds weights, configuration and tokenizer.
//!
//! Versions 2 and 3, little-endian. Metadata, tensor table and places are checked against the file's length before
//! anything is allocated for them; weights are read when they are asked for. What the file says is told in the terms of
//! the `transformers` library: its names and layouts, its `config.json`, its `tokenizer.json`.

mod config;
mod metadata;
mod names;
mod reader;
mod table;
mod tokenizer;

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::weights::{Source, Weights};
use crate::{artifact::hex, error::Error};
use metadata::Metadata;
use reader::Reader;
use table::Line;
pub(super) use tokenizer::Tokens;

/// The first bytes of every file.
const MAGIC: [u8; 4] = *b"GGUF";
/// Where the metadata does not say how data is aligned, in bytes.
const ALIGN: u32 = 32;

/// A file whose header is read and checked.
pub(super) struct Gguf {
    source: Source,
    metadata: Metadata,
    lines: BTreeMap<String, Line>,
}

/// What a file says, in the terms of the `transformers` library.
pub(super) struct Contents {
    pub weights: Weights,
    /// As `config.json` has it.
    pub config: Value,
    /// Lower-case hex of the file's SHA-256.
    pub sha256: String,
}

impl Gguf {
    /// Reads the header of a file of this length.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Import`] when it is no GGUF file that is known here, damaged or
    /// truncated, [`Error::ImportTensor`] for a tensor whose type is unknown or that lies where it cannot.
    pub(super) fn open(path: &Path, len: u64) -> Result<Self, Error> {
        Self::read(Source::open(path, len)?)
    }

    /// Reads the header of a file's bytes.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        Self::read(Source::bytes("the GGUF file", bytes))
    }

    fn read(source: Source) -> Result<Self, Error> {
        let mut reader = Reader::new(&source);
        if reader.array("the magic number")? != MAGIC {
            return Err(Error::Import(format!("{} is no GGUF file: it does not begin with GGUF", source.name())));
        }
        match reader.u32("the version")? {
            2 | 3 => (),
            version if (1..=3).contains(&version.swap_bytes()) => {
                return Err(Error::Import(format!("{} is a big-endian GGUF file: not supported", source.name())));
            }
            version => {
                let reason = format!("{} is GGUF of version {version}, supported are 2 and 3", source.name());
                return Err(Error::Import(reason));
            }
        }
        let tensors = reader.u64("the number of tensors")?;
        let entries = reader.u64("the number of metadata entries")?;
        let metadata = Metadata::read(&mut reader, entries)?;
        let mut lines = table::read(&mut reader, tensors)?;
        let align = u64::from(metadata.u32("general.alignment")?.unwrap_or(ALIGN));
        if !align.is_power_of_two() {
            return Err(reader.error(format_args!("an alignment of {align} is no power of two")));
        }
        let data = reader.position().next_multiple_of(align);
        table::settle(&mut lines, data, align, source.len)?;
        Ok(Self { source, metadata, lines })
    }

    /// What the file says of its tokens; `None` where it says nothing.
    ///
    /// # Errors
    /// [`Error::Import`] when it contradicts itself or is of a kind that is not known here.
    pub(super) fn tokens(&self) -> Result<Option<Tokens<'_>>, Error> {
        Tokens::read(&self.metadata)
    }

    /// The template that makes a prompt of a chat, where the file has one.
    pub(super) fn chat_template(&self) -> Result<Option<String>, Error> {
        Ok(self.metadata.text("tokenizer.chat_template")?.map(Into::into))
    }

    /// Weights and configuration.
    ///
    /// # Errors
    /// [`Error::Import`] and [`Error::ImportTensor`] when the model is of a kind that is not known here, or what it says
    /// of itself is contradictory.
    pub(super) fn contents(self) -> Result<Contents, Error> {
        let Self { source, metadata, lines } = self;
        let described = config::Described::read(&metadata)?;
        let places = names::places(&lines, described.architecture, described.interleaved())?;
        let sha256 = hex(&source.sha256()?);
        let mut weights = Weights::new(vec![source], places);
        let factors = weights.take(names::ROPE_FACTORS)?;
        let config = described.config(&weights, factors)?;
        Ok(Contents { weights, config, sha256 })
    }
}
