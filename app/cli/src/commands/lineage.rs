//! `provena lineage`: what an asset was made from, and who earns what by it.

mod tree;

use anyhow::Result;
use solana_pubkey::Pubkey;

use crate::{address, context::Context};

/// Arguments of `provena lineage`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena lineage @digits\n  provena lineage @digits --json\n\nThe figures are exact: they are the royalty program's own arithmetic, after everything was booked, swept and claimed."
)]
pub(crate) struct Args {
    /// A minted model's or dataset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
}

/// Shows it.
///
/// # Errors
/// There is no such asset, or the chain does not answer.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    context.output.data(&tree::report(&chain, &args.asset).await?)
}
