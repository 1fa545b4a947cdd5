//! `provena model import`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use provena_engine::{
    artifact::{Artifact, Family},
    import::{self, ImportOptions},
};

use super::show::ArtifactReport;
use crate::{context::Context, output::progress::Progress};

/// Arguments of `provena model import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena model import oracle/engine/models/digits --out digits.pvna\n  provena model import ~/.cache/provena/assets/minilm --name MiniLM --out minilm.pvna"
)]
pub struct Args {
    /// A .safetensors file, or a folder that holds one with its config and tokenizer.
    source: PathBuf,
    /// The artifact to write (.pvna).
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// What kind of model it is [default: found out].
    #[arg(long)]
    family: Option<FamilyName>,
    /// The model's name [default: the source's].
    #[arg(long)]
    name: Option<String>,
    /// Inputs to calibrate with [default: those that come with the family].
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
}

/// The families that can be imported.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FamilyName {
    /// A classifier of small pictures.
    Mlp,
    /// A sentence encoder.
    Bert,
}
