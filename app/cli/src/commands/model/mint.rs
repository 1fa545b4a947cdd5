//! `provena model mint`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use provena_engine::artifact::Artifact;
use provena_registry::state::AssetKind;

use crate::{commands::mint_args::MintArgs, context::Context};

/// Arguments of `provena model mint`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena model mint digits.pvna --title 'Digit reader' --parent DATASET=30% --holder CURATOR=10%"
)]
pub struct Args {
    /// The artifact that `provena model import` wrote (.pvna).
    file: PathBuf,
    #[command(flatten)]
    mint: MintArgs,
}

/// Checks the artifact and mints it.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let artifact = Artifact::open(&args.file)
        .with_context(|| format!("{} cannot be minted: it is no valid artifact", args.file.display()))?;
    let title = args.mint.title.clone().unwrap_or_else(|| artifact.name().to_owned());
    let recipe_root = artifact.recipe_root();
    args.mint.run(context, AssetKind::Model, title, artifact.bytes().to_vec(), recipe_root).await
}
