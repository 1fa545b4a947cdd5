//! `provena asset uri`.

use anyhow::Result;
use provena_client::{
    asset::{Owner, Reach, check_uri},
    mint::MintError,
};
use solana_pubkey::Pubkey;

use super::Changed;
use crate::{address, commands::shown_args::warn_unprotected, context::Context, output::text::short_uri};

/// Arguments of `provena asset uri`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena asset uri @digits https://models.example/digits.json\n\nAn address is https://, ipfs://, ar://, or http:// with a warning, and has at\nmost 200 bytes. Nothing else of the NFT's metadata can change."
)]
pub(super) struct Args {
    /// The asset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// Where everybody can read the document.
    #[arg(value_name = "URL")]
    uri: String,
    /// It may lie in a folder of this machine, where nobody else can read it: for private chains.
    #[arg(long, env = "PROVENA_LOCAL", value_parser = clap::builder::FalseyValueParser::new())]
    local: bool,
}

/// Changes the URI and reports it.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    if check_uri(&args.uri)? == Reach::Local && !args.local {
        return Err(MintError::LocalUri.into());
    }
    warn_unprotected(&args.uri, context.output)?;
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let signature = Owner::of(&chain, &wallet, &args.asset).await?.set_uri(&args.uri).await?;
    context.output.data(&Changed::new(args.asset, "metadata", short_uri(&args.uri, context.output.style()), signature))
}
