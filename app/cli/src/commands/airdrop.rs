//! `provena airdrop`: play money from a test chain's faucet.

use std::time::Duration;

use anyhow::Result;
use provena_client::{
    amount::{self, Currency},
    chain::{Chain, ChainError},
};
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::{
    address,
    context::Context,
    failure::{Exit, Failure},
    output::{
        Report,
        style::Style,
        table::facts,
        text::{cut, printable, short},
    },
};

/// Arguments of `provena airdrop`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena airdrop 10\n  provena airdrop 0.5 --to ADDRESS")]
pub(crate) struct Args {
    /// How many SOL.
    #[arg(value_name = "SOL", value_parser = amount::parse_sol)]
    lamports: u64,
    /// Who receives it [default: the wallet].
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    to: Option<Pubkey>,
}

#[derive(Serialize)]
struct Airdrop {
    to: String,
    lamports: u64,
    balance: u64,
    signature: String,
}

impl Report for Airdrop {
    fn text(&self, style: Style) -> String {
        let sol = Currency::sol();
        facts(
            &[
                ("received", sol.show(self.lamports)),
                ("balance", sol.show(self.balance)),
                ("address", self.to.clone()),
                ("transaction", short(&self.signature)),
            ],
            style,
        )
    }
}

/// Asks the faucet and waits until the money is there.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    if args.lamports == 0 {
        return Err(Failure::usage("nothing was asked for").hint("provena airdrop 1").into());
    }
    let to = match args.to {
        Some(to) => to,
        None => context.wallet()?.pubkey(),
    };
    let chain = context.chain()?;
    let (signature, balance) = request(&chain, &to, args.lamports).await?;
    let signature = signature.to_string();
    context.output.data(&Airdrop { to: to.to_string(), lamports: args.lamports, balance, signature })
}

/// Why the faucet gives nothing.
fn refused(error: ChainError, lamports: u64) -> anyhow::Error {
    const SHOWN: usize = 200;
    let asked = Currency::sol().show(lamports);
    match error {
        ChainError::Rpc { reason, .. } if reason.contains("insufficient lamports") => {
            Failure::failed(format!("this chain's faucet has less than {asked}")).hint("ask for less").into()
        }
        ChainError::Rpc { reason, .. } if reason.contains("-32601") || reason.contains("not supported") => {
            Failure::failed("this chain gives no SOL away; only test chains do")
                .hint("send some from another wallet, or name a test chain with --url")
                .into()
        }
        ChainError::Rpc { reason, .. } => Failure::failed(format!("the faucet did not give {asked}"))
            .because(vec![printable(&cut(&reason, SHOWN))])
            .hint("ask for less, or later: faucets give only so much in a day")
            .into(),
        error => error.into(),
    }
}

/// Asks the faucet for `lamports` and waits until the balance has grown by that much; returns the new balance.
///
/// # Errors
/// The chain has no faucet, or the money did not arrive within half a minute.
pub(crate) async fn request(chain: &dyn Chain, to: &Pubkey, lamports: u64) -> Result<(Signature, u64)> {
    let read = async || anyhow::Ok(chain.account(to).await?.map_or(0, |account| account.lamports));
    let before = read().await?;
    let least = chain.rent_exempt(0).await?;
    if before.saturating_add(lamports) < least {
        let [least, asked] = [least, lamports].map(|lamports| Currency::sol().show(lamports));
        return Err(Failure::usage(format!("an account has to hold at least {least}, and {asked} would be less"))
            .hint("provena airdrop 1")
            .into());
    }
    let signature = chain.airdrop(to, lamports).await.map_err(|error| refused(error, lamports))?;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let now = read().await?;
        if now >= before.saturating_add(lamports) {
            return Ok((signature, now));
        }
        if tokio::time::Instant::now() > deadline {
            return Err(Failure::new(Exit::Unknown, "the faucet said yes, but the SOL has not arrived yet")
                .hint("look again with `provena balance` before asking twice")
                .into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
