//! `provena model`: models from files of float weights to owned assets.

mod chat;
mod import;
pub(crate) mod mint;
mod show;
mod version;

use anyhow::Result;
use clap::Subcommand;

use crate::context::Context;

/// Arguments of `provena model`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Turn published float weights into an artifact whose answers are the same on every machine
    Import(import::Args),
    /// Mint an artifact as a model: an NFT whose holders share what it earns
    Mint(Box<mint::Args>),
    /// Add the next version of a model that the wallet owns: other weights, the same NFT and the same holders
    Version(version::Args),
    /// Talk with a language model on this machine
    Chat(chat::Args),
    /// Look at an artifact file or a minted asset
    Show(show::Args),
}

/// Carries out the verb.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Import(args) => import::run(args, context).await,
        Verb::Mint(args) => mint::run(*args, context).await,
        Verb::Version(args) => version::run(args, context).await,
        Verb::Chat(args) => chat::run(args, context).await,
        Verb::Show(args) => show::run(args, context).await,
    }
}
