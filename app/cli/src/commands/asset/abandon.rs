//! `provena asset abandon`: taking an interrupted minting back.

use anyhow::Result;
use provena_client::{
    mint::{Pending, abandon},
    token,
};
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
    after_help = "Examples:\n  provena asset pending\n  provena asset abandon CONTENT_ROOT\n\nClaim, draft, pool and positions are closed; their rent returns to the wallet. The price of a parent's\nlicence that was paid stays with the parent's holders."
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
    /// Paid for licences; it stays with the parents' holders.
    prices: Vec<Kept>,
    signatures: Vec<String>,
}

/// A price that does not come back.
#[derive(Serialize)]
struct Kept {
    mint: String,
    amount: u64,
    #[serde(skip)]
    text: String,
}

impl Report for Abandoned {
    fn text(&self, style: Style) -> String {
        let outcome = if self.registered {
            "the asset is registered, and stays; `asset licence publish` adds a licence"
        } else {
            "taken back"
        };
        let mut rows = vec![("content root", self.content_root.clone()), ("minting", style.strong(outcome))];
        for kept in &self.prices {
            rows.push(("not returned", format!("{}, the price of a licence: it is its asset's holders'", kept.text)));
        }
        if !self.signatures.is_empty() {
            rows.push(("transactions", short_each(&self.signatures)));
        }
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
    let chain = context.chain()?;
    let done = abandon(&chain, &wallet, unfinished).await?;
    let mut prices = Vec::new();
    for (mint, amount) in done.prices {
        let text = token::currency(&chain, &mint).await?.show(amount);
        prices.push(Kept { mint: token::name(&mint), amount, text });
    }
    context.output.data(&Abandoned {
        content_root: hex::encode(args.content_root),
        asset,
        registered: done.registered,
        prices,
        signatures: done.signatures.iter().map(ToString::to_string).collect(),
    })
}
