//! `provena lineage --bom`: a bill of materials for machine learning, in the two formats that others read.

mod chain;
mod cyclonedx;
mod properties;
mod spdx;

use std::path::PathBuf;

use anyhow::Result;
use provena_arith::hash::{Hash, sha256};
use provena_wire::untrusted::printable_json;
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    context::Context,
    output::{Report, file::NewFile, style::Style, table::facts},
};

/// Options about the bill of materials.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Write a bill of materials: CycloneDX 1.6 or SPDX 3.0.1, both as JSON.
    #[arg(long, value_name = "FORMAT")]
    bom: Option<Format>,
    /// Write it to a file instead of stdout.
    #[arg(long, value_name = "FILE", requires = "bom")]
    out: Option<PathBuf>,
    /// Replace an existing file.
    #[arg(long, requires = "out")]
    force: bool,
}

impl Options {
    /// Whether a bill of materials is asked for.
    pub(super) fn is_wanted(&self) -> bool {
        self.bom.is_some()
    }
}

/// A published format.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// CycloneDX 1.6.
    #[value(name = "cyclonedx")]
    CycloneDx,
    /// SPDX 3.0.1 as JSON-LD.
    Spdx,
}

/// The document itself is the answer.
#[derive(Serialize)]
#[serde(transparent)]
struct Answer {
    document: Document,
    /// As a file has it: indented, and harmless on a terminal whatever strangers called their assets.
    #[serde(skip)]
    written: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Document {
    CycloneDx(Box<cyclonedx::Document>),
    Spdx(spdx::Document),
}

impl Report for Answer {
    fn text(&self, _: Style) -> String {
        self.written.clone()
    }
}

#[derive(Serialize)]
struct Written {
    asset: String,
    format: &'static str,
    /// The asset and everything behind it.
    assets: usize,
    file: PathBuf,
}

impl Report for Written {
    fn text(&self, style: Style) -> String {
        let rows = [
            ("asset", self.asset.clone()),
            ("format", self.format.to_owned()),
            ("assets", self.assets.to_string()),
            ("written to", style.strong(&self.file.display().to_string())),
        ];
        facts(&rows, style)
    }
}

/// Reads the chain and writes the document.
pub(super) async fn run(asset: &Pubkey, options: &Options, context: &Context<'_>) -> Result<()> {
    let file = options.out.as_ref().map(|path| NewFile::at(path, options.force)).transpose()?;
    let bill = chain::read(&context.chain()?, asset).await?;
    let (format, document) = match options.bom {
        Some(Format::Spdx) => ("SPDX 3.0.1", Document::Spdx(spdx::document(&bill)?)),
        _ => ("CycloneDX 1.6", Document::CycloneDx(Box::new(cyclonedx::document(&bill)?))),
    };
    let written = printable_json(&serde_json::to_string_pretty(&document)?);
    let Some(file) = file else { return context.output.data(&Answer { document, written }) };
    let path = file.path().to_owned();
    file.write((written + "\n").as_bytes())?;
    context.output.data(&Written { asset: asset.to_string(), format, assets: bill.assets.len(), file: path })
}

/// A UUID that is a document's own, since it is made of its content: `without_id` is the document with nothing in the
/// place of the UUID. Two documents with one UUID say the same.
fn uuid_of(without_id: &impl Serialize) -> Result<String> {
    Ok(uuid(sha256(&[&serde_json::to_vec(without_id)?])))
}

/// RFC 9562's version 8: the first 128 bits of the hash but for those that say so.
fn uuid(hash: Hash) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_says_that_it_is_a_hash_of_ones_own() {
        assert_eq!(uuid([0; 32]), "00000000-0000-8000-8000-000000000000");
        assert_eq!(uuid([0xff; 32]), "ffffffff-ffff-8fff-bfff-ffffffffffff");
        assert_ne!(uuid_of(&1).unwrap(), uuid_of(&2).unwrap());
    }
}
