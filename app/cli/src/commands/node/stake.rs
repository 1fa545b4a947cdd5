//! `provena node stake` and `withdraw`: money of a node's own.

use std::str::FromStr;

use anyhow::Result;
use provena_client::amount::{Currency, parse_sol};
use provena_market::client;
use solana_signer::Signer;

use super::account::{self, NodeReport};
use crate::{context::Context, failure::Failure};

/// Arguments of `provena node stake`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many SOL to add.
    #[arg(value_name = "SOL", value_parser = parse_sol)]
    amount: u64,
}

/// Arguments of `provena node withdraw`.
#[derive(Debug, clap::Args)]
pub(super) struct Withdraw {
    /// How many SOL to take out, or `all` that is free.
    #[arg(value_name = "SOL|all")]
    amount: Wanted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Lamports(u64),
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            _ => parse_sol(text).map(Self::Lamports).map_err(|error| error.to_string()),
        }
    }
}

/// Adds stake and reports the node.
pub(super) async fn add(args: Args, context: &Context<'_>) -> Result<()> {
    nothing(args.amount)?;
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    account::get(&chain, &wallet.pubkey()).await?;
    let add = client::add_stake(wallet.pubkey(), args.amount);
    let signature = account::send(&chain, &wallet, add, "the stake was not added").await?;
    context.output.data(&NodeReport::new(&account::get(&chain, &wallet.pubkey()).await?, Some(signature)))
}

/// Takes free stake out and reports the node.
pub(super) async fn withdraw(args: Withdraw, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let sol = Currency::sol();
    let node = account::get(&chain, &wallet.pubkey()).await?;
    let free = node.free().0;
    let amount = match args.amount {
        Wanted::All => free,
        Wanted::Lamports(amount) => amount,
    };
    nothing(amount)?;
    if amount > free {
        let locked =
            if node.locked > 0 { format!("; jobs in progress hold {}", sol.show(node.locked)) } else { String::new() };
        return Err(Failure::failed(format!(
            "{} of the stake is free, not {}{locked}",
            sol.show(free),
            sol.show(amount)
        ))
        .hint("take less, or wait until the jobs are over: provena node status")
        .into());
    }
    let least = account::market(&chain).await?.min_stake;
    let left = node.stake - amount;
    if left != 0 && left < least {
        return Err(Failure::failed(format!(
            "{} would be left, and a node has a stake of {} or none",
            sol.show(left),
            sol.show(least)
        ))
        .hint("take less, or all of it: provena node withdraw all")
        .into());
    }
    let take = client::withdraw_stake(wallet.pubkey(), amount);
    let signature = account::send(&chain, &wallet, take, "the stake was not taken out").await?;
    context.output.data(&NodeReport::new(&account::get(&chain, &wallet.pubkey()).await?, Some(signature)))
}

fn nothing(amount: u64) -> Result<()> {
    if amount > 0 { Ok(()) } else { Err(Failure::usage("that is nothing").hint("name an amount above zero").into()) }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn all_is_an_amount() {
        assert_eq!("all".parse(), Ok(Wanted::All));
        assert_eq!("0.5".parse(), Ok(Wanted::Lamports(500_000_000)));
        assert!("half".parse::<Wanted>().is_err_and(|why| why.contains("not an amount")));
    }
}
