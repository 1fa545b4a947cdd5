//! `provena royalty show`.

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{Currency, show_bps},
    chain::{Chain, accounts},
    mint, royalty, token,
};
use provena_royalty::{
    state::{Pool, Position},
    view,
};
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    address,
    context::Context,
    output::{
        Report,
        style::Style,
        table::{Align, Table},
    },
};

/// Arguments of `provena royalty show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena royalty show ASSET\n  provena royalty show ASSET --json")]
pub struct Args {
    /// A minted model's or dataset's address.
    #[arg(value_name = "ASSET", value_parser = address::parse)]
    asset: Pubkey,
}

#[derive(Serialize)]
struct Royalties {
    asset: String,
    pool: String,
    mints: Vec<InMint>,
}

#[derive(Serialize)]
struct InMint {
    mint: String,
    decimals: u8,
    received: u64,
    paid: u64,
    holders: Vec<HolderReport>,
    #[serde(skip)]
    currency: Currency,
}

#[derive(Serialize)]
struct HolderReport {
    address: String,
    /// The asset whose pool this is, when the holder is no wallet.
    asset: Option<String>,
    title: Option<String>,
    shares: u64,
    basis_points: u16,
    owed: u64,
    claimed: u64,
}

impl Report for Royalties {
    fn text(&self, style: Style) -> String {
        let parts: Vec<String> = self.mints.iter().map(|mint| mint.text(style)).collect();
        if parts.is_empty() {
            return "This pool cannot be paid yet: no payment mint was added to it.".into();
        }
        parts.join("\n\n")
    }
}

impl InMint {
    fn text(&self, style: Style) -> String {
        let columns =
            [("holder", Align::Left), ("share", Align::Right), ("owed now", Align::Right), ("claimed", Align::Right)];
        let mut table = Table::new(&columns);
        for holder in &self.holders {
            let money = |amount| self.currency.show(amount);
            let share = show_bps(holder.basis_points);
            let title = holder.title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
            table.row([holder.address.clone() + &title, share, money(holder.owed), money(holder.claimed)]);
        }
        let (received, paid) = (self.currency.show(self.received), self.currency.show(self.paid));
        format!("{}\n{}", style.strong(&format!("{received} received, {paid} paid out")), table.text(style))
    }
}

/// Reads the pool and its holders.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    let (address, pool) = royalty::pool_of(&chain, &args.asset).await?;
    let positions = royalty::positions(&chain, &address).await?;
    let mut known = Vec::new();
    for position in &positions {
        known.push(asset_of(&chain, &position.holder).await?);
    }
    let mut mints = Vec::new();
    for pool_mint in royalty::pool_mints(&chain, &address, &pool).await? {
        let currency = token::currency(&chain, &pool_mint.mint).await?;
        let holder = |(position, known): (&Position, &Option<(Pubkey, Option<String>)>)| HolderReport {
            address: position.holder.to_string(),
            asset: known.as_ref().map(|(asset, _)| asset.to_string()),
            title: known.as_ref().and_then(|(_, title)| title.clone()),
            shares: position.shares,
            basis_points: view::basis_points(position.shares, pool.total_shares),
            owed: view::owed(&pool_mint, position),
            claimed: position.checkpoints.get(usize::from(pool_mint.index)).map_or(0, |checkpoint| checkpoint.claimed),
        };
        mints.push(InMint {
            mint: token::name(&pool_mint.mint),
            decimals: currency.decimals,
            received: pool_mint.received,
            paid: pool_mint.paid,
            holders: positions.iter().zip(&known).map(holder).collect(),
            currency,
        });
    }
    context.output.data(&Royalties { asset: args.asset.to_string(), pool: address.to_string(), mints })
}

/// The asset whose royalty pool `holder` is, with its title; `None` for a wallet.
async fn asset_of(chain: &dyn Chain, holder: &Pubkey) -> Result<Option<(Pubkey, Option<String>)>> {
    let account = chain.account(holder).await.context("cannot read a holder")?;
    let pool = account.and_then(|account| accounts::decode::<Pool>(holder, &account).ok());
    let Some(pool) = pool else { return Ok(None) };
    Ok(Some((pool.asset, mint::name_of(chain, &pool.asset).await?)))
}
