//! `provena asset uri`.

use anyhow::Result;
use provena_client::asset::Owner;
use solana_pubkey::Pubkey;

use super::Changed;
use crate::{address, context::Context, failure::Failure, output::text::short_uri};

/// Arguments of `provena asset uri`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena asset uri ASSET https://models.example/digits.json\n\nNothing else of the NFT's metadata can change."
)]
pub(super) struct Args {
    /// The asset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// Where everybody can read the document.
    uri: String,
}

/// Changes the URI and reports it.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    if args.uri.is_empty() || args.uri.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return Err(Failure::usage("that is no URI").hint("https://models.example/digits.json").into());
    }
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let signature = Owner::of(&chain, &wallet, &args.asset).await?.set_uri(&args.uri).await?;
    context.output.data(&Changed::new(args.asset, "metadata", short_uri(&args.uri), signature))
}
