//! `provena royalty transfer`, `approve` and `revoke`.

use anyhow::Result;
use provena_client::{
    royalty::{self, Holding},
    share::{parse_shares, show_part},
};
use provena_royalty::DEFAULT_TOTAL_SHARES;
use serde::Serialize;
use solana_pubkey::Pubkey;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::{
    address,
    context::Context,
    failure::Failure,
    output::{Report, style::Style, table::facts, text::short},
};

/// Arguments of `provena royalty transfer`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena royalty transfer ASSET --to ADDRESS --share 5%\n  provena royalty transfer ASSET --to ADDRESS --share all\n  provena royalty transfer ASSET --from HOLDER --to ADDRESS --share 5%      where HOLDER has approved the wallet"
)]
pub(super) struct Transfer {
    /// A minted model's or dataset's address.
    #[arg(value_name = "ASSET", value_parser = address::parse)]
    asset: Pubkey,
    /// Who receives them.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    to: Pubkey,
    /// How much of all revenue, or `all` that the holder has.
    #[arg(long, value_name = "SHARE%", value_parser = wanted)]
    share: Wanted,
    /// Whose shares [default: the wallet's].
    #[arg(long, value_name = "HOLDER", value_parser = address::parse)]
    from: Option<Pubkey>,
}

/// Arguments of `provena royalty approve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena royalty approve ASSET --to ADDRESS --share 5%")]
pub(super) struct Approve {
    /// A minted model's or dataset's address.
    #[arg(value_name = "ASSET", value_parser = address::parse)]
    asset: Pubkey,
    /// Who may move them, in place of whoever was approved before.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    to: Pubkey,
    /// How much of all revenue, or `all` that the wallet has.
    #[arg(long, value_name = "SHARE%", value_parser = wanted)]
    share: Wanted,
}

/// Arguments of `provena royalty revoke`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena royalty revoke ASSET")]
pub(super) struct Revoke {
    /// A minted model's or dataset's address.
    #[arg(value_name = "ASSET", value_parser = address::parse)]
    asset: Pubkey,
}

/// Arguments of `provena royalty close`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena royalty close ASSET\n  provena royalty close ASSET --of HOLDER      where the wallet paid the rent"
)]
pub(crate) struct Close {
    /// A minted model's or dataset's address.
    #[arg(value_name = "ASSET", value_parser = address::parse)]
    asset: Pubkey,
    /// Whose [default: the wallet's].
    #[arg(long, value_name = "HOLDER", value_parser = address::parse)]
    of: Option<Pubkey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    /// Of [`DEFAULT_TOTAL_SHARES`].
    Part(u64),
}

fn wanted(text: &str) -> Result<Wanted, String> {
    match text {
        "all" => Ok(Wanted::All),
        _ => match parse_shares(text)? {
            0 => Err(format!("`{text}` is nothing")),
            part => Ok(Wanted::Part(part)),
        },
    }
}

impl Wanted {
    /// In shares of a pool.
    ///
    /// # Errors
    /// The pool has too few shares to hold such a part exactly.
    fn of(self, holding: &Holding) -> Result<u64> {
        let Self::Part(part) = self else { return Ok(holding.position.shares) };
        let total = holding.state.total_shares;
        let scaled = u128::from(part) * u128::from(total);
        let exact = scaled % u128::from(DEFAULT_TOTAL_SHARES) == 0;
        match u64::try_from(scaled / u128::from(DEFAULT_TOTAL_SHARES)) {
            Ok(shares) if exact => Ok(shares),
            _ => Err(Failure::usage(format!("this pool has {total} shares, and that is no whole number of them"))
                .hint("name another --share")
                .into()),
        }
    }
}

#[derive(Serialize)]
struct Changed {
    asset: String,
    #[serde(skip)]
    done: &'static str,
    holder: String,
    /// Who received shares, may move them, or got the rent.
    other: Option<String>,
    shares: u64,
    total_shares: u64,
    signature: String,
}

impl Changed {
    fn new(
        asset: &Pubkey,
        done: &'static str,
        holding: &Holding,
        other: Option<&Pubkey>,
        shares: u64,
        signature: Signature,
    ) -> Self {
        Self {
            asset: asset.to_string(),
            done,
            holder: holding.position.holder.to_string(),
            other: other.map(ToString::to_string),
            shares,
            total_shares: holding.state.total_shares,
            signature: signature.to_string(),
        }
    }
}

impl Report for Changed {
    fn text(&self, style: Style) -> String {
        let mut rows = vec![("asset", self.asset.clone()), ("from", self.holder.clone())];
        rows.extend(self.other.clone().map(|other| ("to", other)));
        rows.push((self.done, style.strong(&show_part(self.shares, self.total_shares))));
        rows.push(("transaction", short(&self.signature)));
        facts(&rows, style)
    }
}

/// Moves shares and reports it.
pub(super) async fn transfer(args: Transfer, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let holder = args.from.unwrap_or_else(|| wallet.pubkey());
    let holding = royalty::holding(&chain, &args.asset, &holder).await?;
    let shares = args.share.of(&holding)?;
    let signature = royalty::transfer(&chain, &wallet, &holding, &args.to, shares).await?;
    context.output.data(&Changed::new(&args.asset, "transferred", &holding, Some(&args.to), shares, signature))
}

/// Approves somebody and reports it.
pub(super) async fn approve(args: Approve, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let holding = royalty::holding(&chain, &args.asset, &wallet.pubkey()).await?;
    let shares = args.share.of(&holding)?;
    let signature = royalty::approve(&chain, &wallet, &holding, &args.to, shares).await?;
    context.output.data(&Changed::new(&args.asset, "approved", &holding, Some(&args.to), shares, signature))
}

/// Takes an approval back and reports it.
pub(super) async fn revoke(args: Revoke, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let holding = royalty::holding(&chain, &args.asset, &wallet.pubkey()).await?;
    let (delegate, shares) = (holding.position.delegate, holding.position.delegated);
    let signature = royalty::revoke(&chain, &wallet, &holding).await?;
    context.output.data(&Changed::new(&args.asset, "taken back", &holding, Some(&delegate), shares, signature))
}

/// Closes an empty position and reports it.
pub(crate) async fn close(args: Close, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let holder = args.of.unwrap_or_else(|| wallet.pubkey());
    let holding = royalty::holding(&chain, &args.asset, &holder).await?;
    let signature = royalty::close(&chain, &wallet, &holding).await?;
    let rent_to = holding.position.rent_payer;
    context.output.data(&Changed::new(&args.asset, "closed", &holding, Some(&rent_to), 0, signature))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_share_is_a_part_or_all() {
        assert_eq!(wanted("all"), Ok(Wanted::All));
        assert_eq!(wanted("5%"), Ok(Wanted::Part(50_000_000)));
        assert!(wanted("0%").is_err_and(|why| why.contains("is nothing")));
        assert!(wanted("5").is_err_and(|why| why.contains("write 2.5%")));
    }
}
