//! `provena dataset`: datasets as assets.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use solana_pubkey::Pubkey;

use super::{
    mint_args::{Made, MintArgs},
    new_version,
    parent_args::ParentArgs,
};
use crate::{address, context::Context, nft, output::progress::Progress};

/// Arguments of `provena dataset`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Mint a file as a dataset: an NFT whose holders share what models built on it earn
    #[command(
        after_help = "Examples:\n  provena dataset mint digits.csv.gz --title 'Scanned digits' --local \\\n      --holder @ada=60% --holder @ben=40% --derivative-share 25%\n\nThe NFT's document needs a place that everybody can read: --store or --host with\nhttps://, --uri for your own web server, or --local on a private chain."
    )]
    Mint(Box<Mint>),
    /// Add the next version of a dataset that the wallet owns: other content, the same NFT and the same holders
    #[command(after_help = "Examples:\n  provena dataset version @digits digits-2.csv.gz")]
    Version(Version),
}

#[derive(Debug, clap::Args)]
struct Mint {
    /// The data, as one file (an archive for many).
    file: PathBuf,
    #[command(flatten)]
    mint: MintArgs,
}

#[derive(Debug, clap::Args)]
struct Version {
    /// The dataset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// The data, as one file.
    file: PathBuf,
    #[command(flatten)]
    parents: ParentArgs,
}

/// Carries out the verb.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Mint(args) => {
            let Mint { file, mint } = *args;
            let progress = Progress::spinner(context.output, "reading the data");
            let content = read(&file)?;
            let stem = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let title = mint.title.clone().unwrap_or(stem);
            let told = nft::of_dataset(content.len(), mint.licence(), mint.languages());
            mint.run(context, (title, content), Made::Dataset, told, progress).await
        }
        Verb::Version(Version { asset, file, parents }) => {
            new_version::add(context, asset, read(&file)?, &parents, None).await
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read the dataset {}", file.display()))
}
