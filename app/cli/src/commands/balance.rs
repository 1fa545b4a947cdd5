//! `provena balance`: what an address holds.

use anyhow::Result;
use provena_client::{amount::Currency, token};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use crate::{
    address,
    context::Context,
    output::{Report, style::Style},
};

/// Arguments of `provena balance`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena balance\n  provena balance ADDRESS --mint MINT")]
pub(crate) struct Args {
    /// Whose balance [default: the wallet's].
    #[arg(value_name = "ADDRESS", value_parser = address::parse)]
    address: Option<Pubkey>,
    /// Which token.
    #[arg(long, value_name = "MINT", default_value = "SOL", value_parser = token::parse)]
    mint: Pubkey,
}

#[derive(Serialize)]
struct Balance {
    address: String,
    mint: String,
    amount: u64,
    decimals: u8,
    #[serde(skip)]
    currency: Currency,
}

impl Report for Balance {
    fn text(&self, _: Style) -> String {
        self.currency.show(self.amount)
    }
}

/// Reads the balance.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let address = match args.address {
        Some(address) => address,
        None => context.wallet()?.pubkey(),
    };
    let chain = context.chain()?;
    let currency = token::currency(&chain, &args.mint).await?;
    let amount = token::balance(&chain, &address, &args.mint).await?;
    let (address, mint) = (address.to_string(), token::name(&args.mint));
    context.output.data(&Balance { address, mint, amount, decimals: currency.decimals, currency })
}
