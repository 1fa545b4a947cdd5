//! `provena offer`: selling the use of a model.

mod create;
mod list;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use provena_client::chain::{Budget, send_and_confirm};
use provena_market::client;
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::{
    address,
    context::Context,
    output::{Report, style::Style, table::facts},
};

pub use create::{Terms, create};

/// Arguments of `provena offer`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Offer a model that the wallet owns
    Create(create::Args),
    /// List what is on offer
    List(list::Args),
    /// Take no more jobs on an offer (jobs already paid are still done)
    #[command(after_help = "Examples:\n  provena offer close OFFER")]
    Close(Close),
}

#[derive(Debug, clap::Args)]
struct Close {
    /// The offer's address.
    #[arg(value_parser = address::parse)]
    offer: Pubkey,
}

#[derive(Serialize)]
struct Closed {
    offer: String,
    signature: String,
}

impl Report for Closed {
    fn text(&self, style: Style) -> String {
        facts(&[("closed", self.offer.clone()), ("transaction", self.signature.clone())], style)
    }
}

/// Carries out the verb.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Create(args) => create::run(args, context).await,
        Verb::List(args) => list::run(args, context).await,
        Verb::Close(args) => {
            let wallet = context.wallet()?;
            let close = client::close_offer(wallet.pubkey(), args.offer);
            let sent = send_and_confirm(&context.chain()?, &[close], &[&wallet], Budget::default()).await;
            let signature = sent.context("the offer was not closed")?.signature.to_string();
            context.output.data(&Closed { offer: args.offer.to_string(), signature })
        }
    }
}
