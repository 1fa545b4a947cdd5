//! `provena lineage`: what an asset was made from, and who earns what by it; or the bill of materials of it.

mod bom;
mod tree;

use anyhow::Result;
use solana_pubkey::Pubkey;

use super::holder_names::Names;
use crate::{address, context::Context};

/// Arguments of `provena lineage`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena lineage @digits\n  provena lineage @digits --bom cyclonedx\n  provena lineage @digits --bom spdx --out digits.spdx.json\n\nThe figures are exact: they are the royalty program's own arithmetic, after everything was booked, swept and claimed.\n\nA bill of materials says what the chain knows and no more: the asset with all its versions, everything it builds on through all generations, licences, holders. It reads no clock, so that the same chain gives the same bytes."
)]
pub(crate) struct Args {
    /// A minted model's or dataset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    #[command(flatten)]
    bom: bom::Options,
}

/// Shows it.
///
/// # Errors
/// There is no such asset, or the chain does not answer.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    if args.bom.is_wanted() {
        return bom::run(&args.asset, &args.bom, context).await;
    }
    let chain = context.chain()?;
    context.output.data(&tree::report(&chain, &args.asset, &Names::of(context)).await?)
}
