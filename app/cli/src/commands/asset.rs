//! `provena asset`: what models and datasets have in common once they are minted.

mod abandon;
mod floor;
mod licence;
mod pending;
pub(crate) mod show;
mod uri;
mod versions;

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use solana_signature::Signature;

use crate::{
    context::Context,
    output::{Report, style::Style, table::facts, text::short},
};

/// Arguments of `provena asset`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show a minted model or dataset: its owner, versions, licences and parents
    Show(show::Args),
    /// List its versions, and which of them was made from more
    Versions(versions::Args),
    /// Say what others may build on it, and for what share
    Licence(licence::Args),
    /// Raise the least royalty on its use; it never falls again
    Floor(floor::Args),
    /// Change where its NFT's metadata document is
    Uri(uri::Args),
    /// List mintings of this wallet that were interrupted, and how each goes on or is taken back
    #[command(after_help = "Examples:\n  provena asset pending")]
    Pending,
    /// Take an interrupted minting back, with its rent
    Abandon(abandon::Args),
}

/// Carries out the verb.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Show(args) => show::run(args, context).await,
        Verb::Versions(args) => versions::run(args, context).await,
        Verb::Licence(args) => licence::run(args, context).await,
        Verb::Floor(args) => floor::run(args, context).await,
        Verb::Uri(args) => uri::run(args, context).await,
        Verb::Pending => pending::run(context).await,
        Verb::Abandon(args) => abandon::run(args, context).await,
    }
}

/// A change of an asset that is one transaction.
#[derive(Serialize)]
struct Changed {
    asset: String,
    #[serde(skip)]
    what: &'static str,
    #[serde(skip)]
    value: String,
    signature: String,
}

impl Changed {
    fn new(asset: impl ToString, what: &'static str, value: impl Into<String>, signature: Signature) -> Self {
        Self { asset: asset.to_string(), what, value: value.into(), signature: signature.to_string() }
    }
}

impl Report for Changed {
    fn text(&self, style: Style) -> String {
        let (asset, value) = (self.asset.clone(), style.strong(&self.value));
        facts(&[("asset", asset), (self.what, value), ("transaction", short(&self.signature))], style)
    }
}
