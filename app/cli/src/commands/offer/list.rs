//! `provena offer list`.

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{Currency, show_bps},
    chain::{accounts, accounts::ProgramAccount},
    mint, token,
};
use provena_market::state::Offer;
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

/// Arguments of `provena offer list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena offer list\n  provena offer list ASSET --all --json")]
pub struct Args {
    /// Only offers of this model.
    #[arg(value_parser = address::parse)]
    asset: Option<Pubkey>,
    /// Closed offers too.
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Offers(Vec<Listed>);

#[derive(Serialize)]
struct Listed {
    offer: String,
    asset: String,
    title: Option<String>,
    owner: String,
    mint: String,
    price_per_unit: u64,
    decimals: u8,
    royalty_basis_points: u16,
    max_units: u32,
    nodes: u8,
    agree: u8,
    active: bool,
    #[serde(skip)]
    currency: Currency,
}

impl Report for Offers {
    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return "Nothing is on offer on this chain.".into();
        }
        let columns = [
            ("model", Align::Left),
            ("price", Align::Right),
            ("royalty", Align::Right),
            ("nodes", Align::Right),
            ("offer", Align::Left),
        ];
        let mut table = Table::new(&columns);
        for offer in &self.0 {
            let closed = if offer.active { "" } else { " (closed)" };
            let title = offer.title.clone().unwrap_or_else(|| offer.asset.clone());
            let price = offer.currency.show(offer.price_per_unit);
            let nodes = format!("{} of {}", offer.agree, offer.nodes);
            table.row([title + closed, price, show_bps(offer.royalty_basis_points), nodes, offer.offer.clone()]);
        }
        table.text(style)
    }
}

/// Lists the offers, by model and price.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    let filter = match &args.asset {
        Some(asset) => Offer::filter_field(std::mem::offset_of!(Offer, asset), asset.as_ref()),
        None => Offer::filter(),
    };
    let mut offers = accounts::list::<Offer, _>(&chain, &filter).await.context("cannot list the offers")?;
    offers.retain(|(_, offer)| args.all || offer.active == 1);
    offers.sort_by_key(|(_, offer)| (offer.asset.to_bytes(), offer.price_per_unit, offer.offer_id));
    let mut listed = Vec::new();
    for (address, offer) in offers {
        let currency = token::currency(&chain, &offer.mint).await?;
        listed.push(Listed {
            offer: address.to_string(),
            asset: offer.asset.to_string(),
            title: mint::name_of(&chain, &offer.asset).await?,
            owner: offer.owner.to_string(),
            mint: token::name(&offer.mint),
            price_per_unit: offer.price_per_unit,
            decimals: currency.decimals,
            royalty_basis_points: offer.royalty_bps,
            max_units: offer.max_units,
            nodes: offer.slots,
            agree: offer.quorum,
            active: offer.active == 1,
            currency,
        });
    }
    context.output.data(&Offers(listed))
}
