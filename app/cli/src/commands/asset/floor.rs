//! `provena asset floor`.

use anyhow::Result;
use provena_client::{
    amount::{Amount, parse_bps, show_bps},
    asset::{self, Owner, Registered},
    chain::Chain,
    offer, token,
};
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    address,
    commands::unit_price::UnitPrice,
    context::Context,
    failure::Failure,
    output::{Report, style::Style, table::facts, text::short},
};

/// Arguments of `provena asset floor`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena asset floor @digits --royalty 20%             a fifth of each fee, at least\n  provena asset floor @digits --per-unit SOL=0.000001     and so much for each picture or token\n\nA floor holds for every later owner, and for what is built on the asset. Offers that ask for less take no jobs any more."
)]
pub(super) struct Args {
    /// The asset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// The least part of each fee that goes to the asset's holders [default: as it is].
    #[arg(long, value_name = "SHARE%", value_parser = parse_bps)]
    royalty: Option<u16>,
    /// The least royalty for each unit of use, in a payment mint; in all other mints --royalty alone binds.
    #[arg(long, value_name = "MINT=AMOUNT")]
    per_unit: Option<UnitPrice>,
    /// Raise it although offers take no jobs any more then: a floor never falls.
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct Raised {
    asset: String,
    floor_basis_points: u16,
    mint: Option<String>,
    per_unit: Option<u64>,
    /// Offers that took jobs before and take none now, because they ask for less.
    offers_ended: Vec<String>,
    signature: String,
    #[serde(skip)]
    amount: Option<String>,
}

impl Report for Raised {
    fn text(&self, style: Style) -> String {
        let mut rows = vec![
            ("asset", self.asset.clone()),
            ("least royalty", style.strong(&format!("{} of each fee", show_bps(self.floor_basis_points)))),
        ];
        rows.extend(self.amount.clone().map(|amount| ("per unit", style.strong(&amount))));
        rows.push(("transaction", short(&self.signature)));
        if self.offers_ended.is_empty() {
            return facts(&rows, style);
        }
        rows.push(("take no jobs now", self.offers_ended.join("\n")));
        let why = "These offers ask for less than the new floor. Close them, and offer again.";
        format!("{}\n\n{why}", facts(&rows, style))
    }
}

/// Raises the floor and reports it.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    if args.royalty.is_none() && args.per_unit.is_none() {
        return Err(Failure::usage("there is nothing to raise").hint("give --royalty, --per-unit, or both").into());
    }
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let owner = Owner::of(&chain, &wallet, &args.asset).await?;
    let bps = args.royalty.unwrap_or(owner.registered().asset.floor_bps);
    let floor = match &args.per_unit {
        Some(price) => Some(price.floor(&chain).await?),
        None => None,
    };
    let before: Vec<_> = offers(&chain, &args.asset, owner.registered()).await?;
    let mut raised = owner.registered().clone();
    raised.asset.floor_bps = bps;
    let ends = before.len() - offers(&chain, &args.asset, &raised).await?.len();
    if ends > 0 && !args.yes {
        return Err(Failure::usage(format!(
            "this floor would end {ends} offers that ask for less, and a floor never falls"
        ))
        .hint("add --yes to raise it all the same")
        .into());
    }
    let signature = owner.raise_floor(bps, floor).await?.to_string();
    let after = offers(&chain, &args.asset, &asset::get(&chain, &args.asset).await?).await?;
    let ended = before.into_iter().filter(|offer| !after.contains(offer));
    let offers_ended: Vec<String> = ended.map(|offer| offer.to_string()).collect();
    let amount = match floor {
        Some(floor) => {
            let currency = token::currency(&chain, &floor.mint).await?;
            let amount = Amount { base: floor.per_unit, decimals: currency.decimals };
            Some(format!("{amount} {}", currency.symbol))
        }
        None => None,
    };
    context.output.data(&Raised {
        asset: args.asset.to_string(),
        floor_basis_points: bps,
        mint: floor.map(|floor| token::name(&floor.mint)),
        per_unit: floor.map(|floor| floor.per_unit),
        offers_ended,
        signature,
        amount,
    })
}

/// The offers of an asset that take jobs.
async fn offers(chain: &dyn Chain, mint: &Pubkey, registered: &Registered) -> Result<Vec<Pubkey>> {
    let all = offer::of(chain, mint).await?;
    Ok(all.into_iter().filter(|(_, offer)| offer::takes_jobs(offer, registered)).map(|(address, _)| address).collect())
}
