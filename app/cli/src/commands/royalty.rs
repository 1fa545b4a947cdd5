//! `provena royalty`: what shares earned, collecting it, and moving shares.

mod claim;
mod collect;
mod moved;
mod shares;
mod show;

use anyhow::Result;
use clap::Subcommand;
use provena_client::{
    chain::Chain,
    offer::{self, OfferError},
};
use solana_pubkey::Pubkey;

use crate::context::Context;

/// Arguments of `provena royalty`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show who holds an asset's revenue, what each is owed, and what still waits somewhere
    Show(show::Args),
    /// Collect what a wallet is owed, after bringing in everything that waits
    Claim(claim::Args),
    /// Give shares to somebody else; what they earned so far stays with the giver
    Transfer(shares::Transfer),
    /// Let somebody else move some of the wallet's shares
    Approve(shares::Approve),
    /// Take such an approval back
    Revoke(shares::Revoke),
    /// Close what is nothing any more: no shares, nothing earned; the rent goes to whoever paid it
    Close(shares::Close),
    /// Bring in what marketplaces paid when the NFT was resold
    Collect(collect::Args),
}

/// Carries out the verb.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Show(args) => show::run(args, context).await,
        Verb::Claim(args) => claim::run(args, context).await,
        Verb::Transfer(args) => shares::transfer(args, context).await,
        Verb::Approve(args) => shares::approve(args, context).await,
        Verb::Revoke(args) => shares::revoke(args, context).await,
        Verb::Close(args) => shares::close(args, context).await,
        Verb::Collect(args) => collect::run(args, context).await,
    }
}

/// The asset itself, or what the offer at this address sells.
///
/// # Errors
/// The chain does not answer.
async fn asset_of(chain: &dyn Chain, address: &Pubkey) -> Result<Pubkey> {
    match offer::get(chain, address).await {
        Ok(offer) => Ok(offer.asset),
        Err(OfferError::NoOffer(_)) => Ok(*address),
        Err(error) => Err(error.into()),
    }
}
