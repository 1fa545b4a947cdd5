//! `provena model mint`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use provena_engine::{Error, artifact::Artifact};
use provena_registry::Recipe;

use crate::{
    commands::mint_args::{Made, MintArgs},
    context::Context,
    nft,
    output::progress::Progress,
};

/// Arguments of `provena model mint`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena model mint digits.pvna --title Digits --local\n  provena model mint digits.pvna --title Digits --store https://models.example/store\n  provena model mint digits.pvna --title Digits --uri https://models.example/digits.json \\\n      --parent @scans=30% --holder @curator=10%\n  provena model mint digits.pvna --derivative-share 10% --local   others may build on it, for a tenth\n\nThe NFT's document needs a place that everybody can read: --store or --host with\nhttps://, --uri for your own web server, or --local on a private chain.\nThe content is claimed first, and registered 8 slots later: nobody can copy what\nis about to be registered."
)]
pub(crate) struct Args {
    /// The artifact that `provena model import` wrote (.pvna).
    file: PathBuf,
    #[command(flatten)]
    mint: MintArgs,
}

/// Checks the artifact and mints it.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let progress = Progress::spinner(context.output, "reading the artifact");
    let (artifact, recipe) = open(&args.file)?;
    let title = args.mint.title.clone().unwrap_or_else(|| artifact.name().to_owned());
    let told = nft::of_model(&args.file, &artifact, args.mint.licence(), args.mint.languages());
    let made = Made::Model { recipe, family: artifact.family() };
    args.mint.run(context, (title, artifact.bytes().to_vec()), made, told, progress).await
}

/// An artifact, and its recipe as the registry takes it.
///
/// # Errors
/// It is none.
pub(crate) fn open(file: &Path) -> Result<(Artifact, Recipe)> {
    let artifact = Artifact::open(file).map_err(|error| {
        let shown = file.display();
        let what = match &error {
            Error::File { .. } => format!("{shown} cannot be minted"),
            _ => format!("{shown} cannot be minted: it is no valid artifact"),
        };
        anyhow::Error::from(error).context(what)
    })?;
    let recipe = recipe(&artifact);
    Ok((artifact, recipe))
}

/// An artifact's recipe as the registry takes it.
pub(crate) fn recipe(artifact: &Artifact) -> Recipe {
    Recipe { root: artifact.recipe_root(), len: artifact.recipe_len() }
}
