//! `provena offer list`.

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{Currency, show_bps},
    chain::{accounts, accounts::ProgramAccount},
    mint,
    offer::Terms,
    token,
};
use provena_market::state::Offer;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::price;
use crate::{
    address,
    context::Context,
    output::{Report, style::Style, table::COLUMNS, text::printable},
};

/// Arguments of `provena offer list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena offer list\n  provena offer list ASSET --json")]
pub(super) struct Args {
    /// Only offers of this model.
    #[arg(value_parser = address::parse)]
    asset: Option<Pubkey>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Offers(Vec<Listed>);

#[derive(Serialize)]
struct Listed {
    offer: String,
    asset: String,
    version: u32,
    title: Option<String>,
    mint: String,
    decimals: u8,
    base_price: u64,
    input_price: u64,
    output_price: u64,
    max_input: u32,
    max_output: u32,
    royalty_basis_points: u16,
    nodes: u8,
    agree: u8,
    #[serde(skip)]
    terms: Terms,
    #[serde(skip)]
    currency: Currency,
}

impl Report for Offers {
    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return "Nothing is on offer on this chain.".into();
        }
        let offers: Vec<String> = self.0.iter().map(|offer| offer.lines(style)).collect();
        offers.join("\n")
    }
}

impl Listed {
    /// Address and title, then the terms.
    fn lines(&self, style: Style) -> String {
        // An address has up to 44 letters, and a title up to 32 bytes.
        let title = self.title.as_deref().map_or_else(|| "(no name)".into(), printable);
        let room = COLUMNS - 46;
        let title: String = title.chars().take(room).collect();
        let nodes =
            if self.nodes > 1 { format!(", {} of {} nodes agree", self.agree, self.nodes) } else { String::new() };
        let price = price::words(&self.terms, &self.currency);
        let terms = format!("  {price}, {} to the holders{nodes}", show_bps(self.royalty_basis_points));
        format!("{:<44}  {}\n{}", self.offer, style.strong(&title), style.faint(&terms))
    }
}

/// Lists the offers, by model and price.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    let filter = match &args.asset {
        Some(asset) => Offer::filter_field(std::mem::offset_of!(Offer, asset), asset.as_ref()),
        None => Offer::filter(),
    };
    let mut offers = accounts::list::<Offer, _>(&chain, &filter).await.context("cannot list the offers")?;
    offers.sort_by_key(|(_, offer)| (offer.asset.to_bytes(), offer.base_price, offer.input_price, offer.offer_id));
    let mut listed = Vec::new();
    for (address, offer) in offers {
        let currency = token::currency(&chain, &offer.mint).await?;
        listed.push(Listed {
            offer: address.to_string(),
            asset: offer.asset.to_string(),
            version: offer.asset_version,
            title: mint::name_of(&chain, &offer.asset).await?,
            mint: token::name(&offer.mint),
            decimals: currency.decimals,
            base_price: offer.base_price,
            input_price: offer.input_price,
            output_price: offer.output_price,
            max_input: offer.max_input_units,
            max_output: offer.max_output_units,
            royalty_basis_points: offer.royalty_bps,
            nodes: offer.seats,
            agree: offer.quorum,
            terms: Terms::of(&offer),
            currency,
        });
    }
    context.output.data(&Offers(listed))
}
