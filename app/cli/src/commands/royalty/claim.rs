//! `provena royalty claim`.

use anyhow::Result;
use provena_client::{
    chain::{Chain, ChainError},
    royalty::{self, Claim, RoyaltyError},
};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction_error::TransactionError;

use super::moved::{Payment, payments, table};
use crate::{
    address,
    context::Context,
    failure::Failure,
    output::{Report, progress::Progress, style::Style},
};

/// Arguments of `provena royalty claim`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena royalty claim @digits\n  provena royalty claim                     from all that the wallet has shares of\n  provena royalty claim @digits --for @ada  pay the fee for an empty wallet\n\nWhat lies in inboxes is booked first, and what models owe to a dataset they were built on is brought into the\ndataset's own pool."
)]
pub(super) struct Args {
    /// A minted model's or dataset's address, or that of an offer of it [default: all that the holder has shares of].
    #[arg(value_name = "ASSET|OFFER", value_parser = address::parse)]
    asset: Option<Pubkey>,
    /// Whose money it is; it goes to that wallet, whoever pays the fee [default: the wallet].
    #[arg(long = "for", value_name = "HOLDER", value_parser = address::parse)]
    holder: Option<Pubkey>,
    /// Pay it to another wallet; only its holder may say so.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse, conflicts_with = "holder")]
    to: Option<Pubkey>,
}

#[derive(Serialize)]
struct Claimed {
    holder: String,
    asset: Option<String>,
    swept: Vec<Payment>,
    claimed: Vec<Payment>,
}

impl Report for Claimed {
    fn text(&self, style: Style) -> String {
        let groups: [(&str, &[Payment]); 2] = [("from derived assets", &self.swept), ("claimed", &self.claimed)];
        match (self.swept.is_empty(), self.claimed.is_empty()) {
            (true, true) => "Nothing is owed to this wallet right now.".into(),
            (false, true) => format!("{}\n\nNothing of it is owed to this wallet.", table(&groups, style)),
            _ => table(&groups, style),
        }
    }
}

/// Books, sweeps, then claims.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let mut args = args;
    if let Some(asset) = &mut args.asset {
        *asset = super::asset_of(&chain, asset).await?;
    }
    let holder = args.holder.unwrap_or_else(|| wallet.pubkey());
    let pools = match &args.asset {
        Some(asset) => vec![royalty::holding(&chain, asset, &holder).await?.pool],
        None => royalty::held_by(&chain, &holder).await?,
    };
    if pools.is_empty() {
        return Err(Failure::failed(format!("{holder} holds no shares of anything on this chain"))
            .hint("name the holder's wallet with --keypair, or check --url")
            .into());
    }
    check_payer(&chain, &wallet.pubkey(), args.asset.as_ref(), context).await?;
    let progress = Progress::spinner(context.output, "bringing in what waits");
    let mut swept = Vec::new();
    for pool in &pools {
        swept.extend(royalty::sweep_into(&chain, &wallet, pool).await?);
    }
    progress.message("claiming");
    let claim = Claim { chain: &chain, payer: &wallet, holder, to: args.to };
    let claimed = claim.all(&pools).await.map_err(|error| too_little(error, &args.to.unwrap_or(holder)))?;
    drop(progress);
    let (swept, claimed) = (payments(&chain, &swept).await?, payments(&chain, &claimed).await?);
    let asset = args.asset.map(|asset| asset.to_string());
    context.output.data(&Claimed { holder: holder.to_string(), asset, swept, claimed })
}

/// A wallet without SOL cannot pay a transaction's fee; somebody else can pay it for it.
async fn check_payer(chain: &dyn Chain, wallet: &Pubkey, asset: Option<&Pubkey>, context: &Context<'_>) -> Result<()> {
    if chain.account(wallet).await?.is_some_and(|account| account.lamports > 0) {
        return Ok(());
    }
    let asset = asset.map_or_else(String::new, |asset| format!(" {}", context.written(asset)));
    Err(Failure::failed(format!("the wallet {wallet} is empty, and a transaction costs a fee"))
        .hint(format!(
            "anybody can pay the fee for it, and the money still goes to it: \
             provena royalty claim{asset} --for {wallet} --keypair OTHER_WALLET"
        ))
        .into())
}

/// A refusal because an account would hold too little, in words that say what to do.
fn too_little(error: RoyaltyError, holder: &Pubkey) -> anyhow::Error {
    let rent = matches!(&error, RoyaltyError::Unsent { source: ChainError::Rejected(rejection), .. }
        if matches!(rejection.error, TransactionError::InsufficientFundsForRent { .. }));
    if !rent {
        return error.into();
    }
    let said = "what is owed is less than an empty wallet has to hold, 0.00089088 SOL";
    anyhow::Error::from(error).context(
        Failure::failed(said)
            .hint(format!("wait until more has come in, or send a little SOL to {holder} first; nothing is lost")),
    )
}
