//! `provena royalty collect`.

use anyhow::Result;
use provena_client::royalty;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::moved::{Payment, payments, table};
use crate::{
    address,
    context::Context,
    output::{Report, style::Style},
};

/// Arguments of `provena royalty collect`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena royalty collect ASSET\n\nMarketplaces pay resale royalties to the pool itself, which is the NFT's creator. Anybody may bring them in; they\nbelong to the pool's holders, who claim them like everything else."
)]
pub(super) struct Args {
    /// A minted model's or dataset's address.
    #[arg(value_name = "ASSET", value_parser = address::parse)]
    asset: Pubkey,
}

#[derive(Serialize)]
struct Collected {
    asset: String,
    collected: Vec<Payment>,
}

impl Report for Collected {
    fn text(&self, style: Style) -> String {
        if self.collected.is_empty() {
            return "No resale royalties wait in this pool.".into();
        }
        table(&[("from resales", &self.collected)], style)
    }
}

/// Brings them in and reports them.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let (pool, _) = royalty::pool_of(&chain, &args.asset).await?;
    let moved = royalty::collect(&chain, &wallet, &pool).await?;
    let collected = payments(&chain, &moved).await?;
    context.output.data(&Collected { asset: args.asset.to_string(), collected })
}
