//! `provena offer list`.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{Currency, show_bps},
    asset,
    chain::{accounts, accounts::ProgramAccount},
    mint,
    offer::{self, Terms},
    store::{Root, Store},
    token,
};
use provena_engine::artifact::{Artifact, Family};
use provena_market::state::Offer;
use provena_wire::Untrusted;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::price;
use crate::{
    address,
    context::Context,
    output::{
        Report,
        style::Style,
        table::{Align, Table},
        text::cut,
    },
};

/// Columns of a title.
const TITLE: usize = 40;

/// Arguments of `provena offer list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena offer list\n  provena offer list @digits --json")]
pub(super) struct Args {
    /// Only offers of this model.
    #[arg(value_name = "MODEL", value_parser = address::parse)]
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
    title: Option<Untrusted>,
    /// What it is called on this machine, with its @.
    name: Option<String>,
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
    /// Whether the market takes jobs on it.
    takes_jobs: bool,
    #[serde(skip)]
    unit: &'static str,
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
        let mut table = Table::new(&[("offer", Align::Address), ("called", Align::Left), ("model", Align::Left)]);
        for offer in &self.0 {
            let title = offer.title.as_ref().map_or_else(|| "(no name)".into(), Untrusted::shown);
            let name = offer.name.clone().unwrap_or_default();
            table.row([offer.offer.clone(), name, cut(&title, TITLE)]);
            table.note(offer.terms());
        }
        table.text(style)
    }
}

impl Listed {
    /// What it costs, and who gets it.
    fn terms(&self) -> String {
        let nodes =
            if self.nodes > 1 { format!(", {} of {} nodes agree", self.agree, self.nodes) } else { String::new() };
        let price = price::words(&self.terms, &self.currency, self.unit);
        let dead = if self.takes_jobs { "" } else { "; takes no jobs: the model asks for more, or is not active" };
        format!("{price}, {} to the holders{nodes}{dead}", show_bps(self.royalty_basis_points))
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
    let store = Store::open(context.store_urls()).context("cannot open the store")?;
    let mut families = HashMap::new();
    let mut listed = Vec::new();
    for (address, offer) in offers {
        let terms = Terms::of(&offer);
        // Only where one picture cannot be told from one sentence by the offer is the model itself looked at.
        let family = match families.get(&offer.content_root) {
            _ if terms.max_output > 0 => None,
            Some(family) => *family,
            None => {
                let family = family(&store, &offer.content_root).await;
                families.insert(offer.content_root, family);
                family
            }
        };
        let currency = token::currency(&chain, &offer.mint).await?;
        let model = asset::find(&chain, &offer.asset).await?;
        listed.push(Listed {
            offer: address.to_string(),
            asset: offer.asset.to_string(),
            version: offer.asset_version,
            title: mint::name_of(&chain, &offer.asset).await?,
            name: context.book.of(&address).ok().flatten().map(|entry| format!("@{}", entry.name)),
            takes_jobs: model.is_some_and(|model| offer::takes_jobs(&offer, &model)),
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
            unit: family.map_or_else(|| price::unit_of(&terms), price::unit),
            terms,
            currency,
        });
    }
    context.output.data(&Offers(listed))
}

/// What kind of model it is, where it lies on this machine.
async fn family(store: &Store, root: &Root) -> Option<Family> {
    let bytes = store.get_local(root).await.ok()?;
    Some(Artifact::from_bytes(bytes.into()).ok()?.family())
}
