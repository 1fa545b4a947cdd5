//! `provena offer`: selling the use of a model.

mod create;
mod created;
mod doubts;
mod list;
pub(crate) mod price;

use anyhow::Result;
use clap::Subcommand;
use provena_client::{
    amount::Currency,
    chain::{ChainReader, accounts::ProgramAccount},
    offer,
};
use provena_market::state::Offer;
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    address,
    context::Context,
    output::{Report, style::Style, table::facts, text::short},
};

/// Arguments of `provena offer`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Offer a model that the wallet owns
    Create(create::Args),
    /// List what is on offer
    List(list::Args),
    /// Close an offer of a model that the wallet owns, whoever made it (jobs already paid are still done)
    #[command(after_help = "Examples:\n  provena offer close @digits\n\nThe offer's rent goes to whoever paid it.")]
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
    asset: String,
    rent: u64,
    rent_to: String,
    signature: String,
}

impl Report for Closed {
    fn text(&self, style: Style) -> String {
        let rows = [
            ("closed", self.offer.clone()),
            ("rent back", Currency::sol().show(self.rent)),
            ("to", self.rent_to.clone()),
            ("transaction", short(&self.signature)),
        ];
        facts(&rows, style)
    }
}

/// Carries out the verb.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Create(args) => create::run(args, context).await,
        Verb::List(args) => list::run(args, context).await,
        Verb::Close(args) => {
            let wallet = context.wallet()?;
            let chain = context.chain()?;
            let rent = chain.rent_exempt(Offer::account_len()).await?;
            let (closed, signature) = offer::close(&chain, &wallet, &args.offer).await?;
            context.book.forget(&args.offer);
            context.output.data(&Closed {
                offer: args.offer.to_string(),
                asset: closed.asset.to_string(),
                rent,
                rent_to: closed.rent_payer.to_string(),
                signature: signature.to_string(),
            })
        }
    }
}
