//! `provena asset abandon`: taking an interrupted minting back.

use anyhow::Result;
use provena_client::mint::{Pending, abandon};
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    context::Context,
    failure::Failure,
    output::{Report, style::Style, table::facts, text::short_each},
};

/// Arguments of `provena asset abandon`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena asset pending\n  provena asset abandon CONTENT_ROOT\n\nClaim, pool and positions are closed; their rent returns to the wallet."
)]
pub(super) struct Args {
    /// The content's root, as `provena asset pending` lists it.
    #[arg(value_name = "CONTENT_ROOT", value_parser = root)]
    content_root: [u8; 32],
}

fn root(text: &str) -> Result<[u8; 32], String> {
    let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "not a content root, which is 64 hexadecimal digits".into())
}

#[derive(Serialize)]
struct Abandoned {
    content_root: String,
    asset: String,
    /// Whether the asset exists after all; then only the secrets were removed.
    registered: bool,
    signatures: Vec<String>,
}

impl Report for Abandoned {
    fn text(&self, style: Style) -> String {
        let outcome = if self.registered {
            "the asset is registered, and stays; `asset licence publish` adds a licence"
        } else {
            "taken back"
        };
        let rows = [
            ("content root", self.content_root.clone()),
            ("minting", style.strong(outcome)),
            ("transactions", short_each(&self.signatures)),
        ];
        facts(&rows, style)
    }
}

/// Takes it back and reports it.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let unfinished = Pending::new(context.pending_folder()).find(&args.content_root)?.ok_or_else(|| {
        Failure::failed("no minting of this content was interrupted")
            .hint("provena asset pending   lists those that were")
    })?;
    let asset = unfinished.key.pubkey().to_string();
    let done = abandon(&context.chain()?, &wallet, unfinished).await?;
    context.output.data(&Abandoned {
        content_root: hex::encode(args.content_root),
        asset,
        registered: done.registered,
        signatures: done.signatures.iter().map(ToString::to_string).collect(),
    })
}
