//! `provena royalty`: what shares earned, and collecting it.

mod claim;
mod show;

use anyhow::Result;
use clap::Subcommand;

use crate::context::Context;

/// Arguments of `provena royalty`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show who holds an asset's revenue and what each is owed
    Show(show::Args),
    /// Collect what the wallet is owed
    Claim(claim::Args),
}

/// Carries out the verb.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Show(args) => show::run(args, context).await,
        Verb::Claim(args) => claim::run(args, context).await,
    }
}
