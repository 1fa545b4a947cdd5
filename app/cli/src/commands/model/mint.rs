//! `provena model mint`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use provena_engine::artifact::{Artifact, Family};
use provena_registry::Recipe;

use crate::{
    commands::mint_args::{Made, MintArgs},
    context::Context,
};

/// Arguments of `provena model mint`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena model mint digits.pvna --title 'Digit reader' --parent DATASET=30% --holder CURATOR=10%\n  provena model mint digits.pvna --derivative-share 10%      others may build on it, for a tenth\n\nThe content is claimed first, and registered 8 slots later: nobody can copy what is about to be registered."
)]
pub(crate) struct Args {
    /// The artifact that `provena model import` wrote (.pvna).
    file: PathBuf,
    #[command(flatten)]
    mint: MintArgs,
}

/// Checks the artifact and mints it.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let (artifact, recipe) = open(&args.file)?;
    let title = args.mint.title.clone().unwrap_or_else(|| artifact.name().to_owned());
    let price = if artifact.family() == Family::Llama { "0.00001" } else { "0.001" };
    args.mint.run(context, title, artifact.bytes().to_vec(), Made::Model { recipe, price }).await
}

/// An artifact, and its recipe as the registry takes it.
///
/// # Errors
/// It is none.
pub(crate) fn open(file: &Path) -> Result<(Artifact, Recipe)> {
    let artifact = Artifact::open(file)
        .with_context(|| format!("{} cannot be minted: it is no valid artifact", file.display()))?;
    let recipe = recipe(&artifact);
    Ok((artifact, recipe))
}

/// An artifact's recipe as the registry takes it.
pub(crate) fn recipe(artifact: &Artifact) -> Recipe {
    Recipe { root: artifact.recipe_root(), len: artifact.recipe_len() }
}
