//! `provena model version`.

use std::path::PathBuf;

use anyhow::Result;
use solana_pubkey::Pubkey;

use super::mint;
use crate::{
    address,
    commands::{new_version, parent_args::ParentArgs},
    context::Context,
};

/// Arguments of `provena model version`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena model version @digits digits-2.pvna\n  provena model version @digits digits-2.pvna --parent @numbers=5%   # made from more: shares of yours\n\nOffers made before go on selling the version that they were made for."
)]
pub(super) struct Args {
    /// The model's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// The new version's artifact (.pvna).
    file: PathBuf,
    #[command(flatten)]
    parents: ParentArgs,
}

/// Checks the artifact and adds it.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let (artifact, recipe) = mint::open(&args.file)?;
    new_version::add(context, args.asset, artifact.bytes().to_vec(), &args.parents, Some((recipe, artifact.family())))
        .await
}
