//! `provena dataset`: datasets as assets.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use provena_registry::state::AssetKind;

use super::mint_args::MintArgs;
use crate::context::Context;

/// Arguments of `provena dataset`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Mint a file as a dataset: an NFT whose holders share what models built on it earn
    #[command(
        after_help = "Examples:\n  provena dataset mint digits.csv.gz --title 'Scanned digits' \\\n      --holder ADA=60% --holder BEN=40% --derivative-share 25%"
    )]
    Mint(Mint),
}

#[derive(Debug, clap::Args)]
struct Mint {
    /// The data, as one file (an archive for many).
    file: PathBuf,
    #[command(flatten)]
    mint: MintArgs,
}

/// Carries out the verb.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let Verb::Mint(Mint { file, mint }) = args.verb;
    let content = std::fs::read(&file).with_context(|| format!("cannot read the dataset {}", file.display()))?;
    let stem = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let title = mint.title.clone().unwrap_or(stem);
    mint.run(context, AssetKind::Dataset, title, content, [0; 32]).await
}
