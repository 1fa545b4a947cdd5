//! `provena asset licence`: what others may build on an asset, and for what.

mod listed;
mod publish;

use anyhow::Result;
use clap::Subcommand;
use provena_client::asset::{self, Owner};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::Changed;
use crate::{
    address,
    context::Context,
    output::{Report, style::Style},
};

pub(super) use listed::{Listed, listed, table};

/// Arguments of `provena asset licence`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Publish a licence: from now on others may build on the asset
    #[command(
        after_help = "Examples:\n  provena asset licence publish @digits --share 10%\n  provena asset licence publish @digits --share 5% --consent --text 'CC BY-NC 4.0'\n  provena asset licence publish @digits --share 1% --every-descendant --price SOL=0.5 --most 100 --days 365\n\nA licence never changes. Retire it and publish another to ask for something else."
    )]
    Publish(publish::Args),
    /// Retire a licence: nothing more is granted by it; what was granted stays
    #[command(after_help = "Examples:\n  provena asset licence retire @digits 1")]
    Retire(Retire),
    /// List an asset's licences
    #[command(after_help = "Examples:\n  provena asset licence list @digits --all")]
    List(List),
}

#[derive(Debug, clap::Args)]
struct Retire {
    /// The asset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// The licence's number.
    number: u32,
}

#[derive(Debug, clap::Args)]
struct List {
    /// The asset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// Retired ones, too.
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Licences(Vec<Listed>);

impl Report for Licences {
    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return "It grants nothing: it has no active licence.".into();
        }
        table(&self.0, style)
    }
}

/// Carries out the verb.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Publish(args) => publish::run(args, context).await,
        Verb::Retire(Retire { asset, number }) => {
            let wallet = context.wallet()?;
            let chain = context.chain()?;
            let signature = Owner::of(&chain, &wallet, &asset).await?.retire_licence(number).await?;
            context.output.data(&Changed::new(asset, "retired", format!("licence number {number}"), signature))
        }
        Verb::List(List { asset, all }) => {
            let chain = context.chain()?;
            let mut licences = asset::get(&chain, &asset).await?.licences(&chain).await?;
            licences.retain(|licence| all || licence.is_active());
            context.output.data(&Licences(listed(&chain, &licences).await?))
        }
    }
}
