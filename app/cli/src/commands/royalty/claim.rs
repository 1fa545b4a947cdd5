//! `provena royalty claim`.

use anyhow::Result;
use provena_client::{
    amount::Currency,
    chain::Chain,
    royalty::{self, Moved},
    token,
};
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    address,
    context::Context,
    output::{
        Report,
        progress::Progress,
        style::Style,
        table::{Align, Table},
    },
};

/// Arguments of `provena royalty claim`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena royalty claim ASSET\n  provena royalty claim ASSET --keypair holder.json\n\n\
What models owe to a dataset they were built on is first brought into the dataset's own pool."
)]
pub struct Args {
    /// A minted model's or dataset's address.
    #[arg(value_name = "ASSET", value_parser = address::parse)]
    asset: Pubkey,
}

#[derive(Serialize)]
struct Claimed {
    asset: String,
    swept: Vec<Payment>,
    claimed: Vec<Payment>,
}

#[derive(Serialize)]
struct Payment {
    mint: String,
    amount: u64,
    decimals: u8,
    signature: String,
    #[serde(skip)]
    currency: Currency,
}

impl Report for Claimed {
    fn text(&self, style: Style) -> String {
        if self.claimed.is_empty() {
            return "Nothing is owed to this wallet right now.".into();
        }
        let mut table = Table::new(&[("", Align::Left), ("amount", Align::Right), ("transaction", Align::Left)]);
        for (what, payments) in [("from derived assets", &self.swept), ("claimed", &self.claimed)] {
            for payment in payments {
                table.row([what.into(), payment.currency.show(payment.amount), payment.signature.clone()]);
            }
        }
        table.text(style)
    }
}

/// Sweeps what derived assets owe, then claims.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let (pool, _) = royalty::pool_of(&chain, &args.asset).await?;
    let progress = Progress::spinner(context.output, "collecting what derived assets owe");
    let swept = royalty::sweep_into(&chain, &wallet, &pool).await?;
    progress.message("claiming");
    let claimed = royalty::claim_all(&chain, &wallet, &wallet, &pool).await?;
    drop(progress);
    let asset = args.asset.to_string();
    let (swept, claimed) = (payments(&chain, &swept).await?, payments(&chain, &claimed).await?);
    context.output.data(&Claimed { asset, swept, claimed })
}

async fn payments(chain: &dyn Chain, moved: &[Moved]) -> Result<Vec<Payment>> {
    let mut payments = Vec::new();
    for one in moved {
        let currency = token::currency(chain, &one.mint).await?;
        let (mint, signature) = (token::name(&one.mint), one.signature.to_string());
        payments.push(Payment { mint, amount: one.amount, decimals: currency.decimals, signature, currency });
    }
    Ok(payments)
}
