//! `provena asset licence publish`.

use anyhow::{Context as _, Result};
use provena_client::{
    amount::{parse_bps, show_bps},
    asset::Owner,
    chain::ChainReader as _,
};
use provena_registry::{LicenceTerms, constants::uses};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::listed::{Listed, SLOTS_A_DAY, listed};
use crate::{
    address,
    commands::{
        mint_args::text_hash,
        mint_report::{Parent, mint_on},
        unit_price::UnitPrice,
    },
    context::Context,
    failure::Failure,
    output::{Report, style::Style, table::facts, text::short},
};

/// Arguments of `provena asset licence publish`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The asset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// What assets built on it must give to it, of all that they earn.
    #[arg(long, value_name = "SHARE%", value_parser = parse_bps)]
    share: u16,
    /// The least part of each fee that they must ask for their holders.
    #[arg(long, default_value = "0%", value_name = "SHARE%", value_parser = parse_bps)]
    floor: u16,
    /// The least royalty for each unit of their use, in a payment mint; in all other mints --floor alone binds.
    #[arg(long = "unit-floor", value_name = "MINT=AMOUNT")]
    unit_floor: Option<UnitPrice>,
    /// Nobody may build on it without its owner's signature.
    #[arg(long)]
    consent: bool,
    /// Share, floor and what is allowed bind everything that is ever built on it, not its direct derivatives alone.
    #[arg(long)]
    every_descendant: bool,
    /// What each derivative pays once, to the asset's holders: SOL=0.5, or MINT=AMOUNT in a token that its pool has books for.
    #[arg(long, value_name = "MINT=AMOUNT")]
    price: Option<UnitPrice>,
    /// Most derivatives that it grants [default: any number].
    #[arg(long, value_name = "NUMBER")]
    most: Option<std::num::NonZeroU32>,
    /// Days for which it grants; what was granted stays [default: for ever].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// What is built on it may not be offered for use.
    #[arg(long)]
    no_offers: bool,
    /// Nothing may be built on what is built on it.
    #[arg(long)]
    no_derivatives: bool,
    /// The licence's name or text; its hash goes on the chain.
    #[arg(long, default_value = "all rights reserved")]
    text: String,
    /// Its number, which others name it by [default: the next].
    #[arg(long, value_name = "NUMBER")]
    number: Option<u32>,
}

impl Args {
    /// What may be done with a derivative, of all that the asset itself may grant.
    fn uses(&self, own: u32) -> Result<u32> {
        let mut granted = own;
        if self.no_offers {
            granted &= !uses::SERVE;
        }
        if self.no_derivatives {
            granted &= !uses::DERIVE;
        }
        if granted == 0 {
            let text = "it would allow nothing: the licences that the asset was built under allow no more";
            return Err(Failure::usage(text).hint("leave --no-offers or --no-derivatives out").into());
        }
        Ok(granted)
    }
}

/// What was published, as the chain shows it.
#[derive(Serialize)]
struct Published {
    asset: String,
    #[serde(flatten)]
    granted: Listed,
    signature: String,
    /// For how long, as the person said it.
    #[serde(skip)]
    days: Option<u32>,
    #[serde(skip)]
    next: String,
}

impl Report for Published {
    fn text(&self, style: Style) -> String {
        let Listed { licence, basis_points, floor_basis_points, .. } = self.granted;
        let share = if basis_points == 0 { "any share".to_owned() } else { show_bps(basis_points) };
        let consent = if self.granted.consent_required { ", with your signature" } else { "" };
        let mut rows = vec![
            ("asset", self.asset.clone()),
            ("licence", style.strong(&format!("number {licence}"))),
            ("grants", format!("building on it for {share} of the revenue{consent}")),
        ];
        let per_unit = self.granted.unit_floor.as_ref().map(|floor| format!("{floor} per unit"));
        let of_fees = (floor_basis_points > 0).then(|| format!("{} of each fee", show_bps(floor_basis_points)));
        let floors: Vec<String> = of_fees.into_iter().chain(per_unit).collect();
        if !floors.is_empty() {
            rows.push(("least royalty", floors.join(", ")));
        }
        rows.extend(
            self.granted.shown_price.clone().map(|price| ("price", format!("{price}, once, of each derivative"))),
        );
        rows.extend(self.granted.most_derivatives.map(|most| ("at most", format!("{most} derivatives"))));
        if let (Some(slot), Some(days)) = (self.granted.last_slot, self.days) {
            rows.push(("last slot", format!("{slot}, in about {days} days")));
        }
        if self.granted.every_descendant {
            rows.push(("binds", "every descendant, not the direct derivatives alone".into()));
        }
        let offers = (!self.granted.may_be_offered).then_some("offers of what is built on it");
        let derivatives = (!self.granted.may_be_built_on).then_some("building on what is built on it");
        rows.extend(offers.into_iter().chain(derivatives).map(|what| ("forbids", what.into())));
        rows.push(("transaction", short(&self.signature)));
        facts(&rows, style) + &style.next(&self.next)
    }
}

/// Publishes it and tells what it says.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let wallet = context.wallet()?;
    let chain = context.chain()?;
    let floor = match &args.unit_floor {
        Some(price) => Some(price.floor(&chain).await?),
        None => None,
    };
    let price = match &args.price {
        Some(price) => Some(price.price(&chain).await?),
        None => None,
    };
    let owner = Owner::of(&chain, &wallet, &args.asset).await?;
    let terms = LicenceTerms {
        floor_bps: args.floor,
        floor,
        consent: args.consent,
        absolute: args.every_descendant,
        uses: args.uses(owner.registered().asset.uses)?,
        price,
        expires: match args.days {
            Some(days) => chain.slot().await?.saturating_add(u64::from(days) * SLOTS_A_DAY),
            None => 0,
        },
        most_children: args.most.map_or(0, std::num::NonZeroU32::get),
        ..LicenceTerms::sharing(args.share, text_hash(&args.text))
    };
    let (licence, signature) = owner.publish_licence(args.number, terms).await?;
    let licences = owner.registered().licences(&chain).await?;
    let published = licences.iter().position(|one| one.id == licence).with_context(|| {
        format!("licence number {licence} is published, by {signature}; the chain does not show it yet")
    })?;
    // With others beside it, it may not be the one that is taken by itself; and one with a price never is.
    let alone = licences.iter().filter(|one| one.is_active()).count() == 1 && licences[published].price == 0;
    let parent = args.asset.to_string();
    let next = mint_on(
        &Parent { asset: &parent, bps: args.share, under: (!alone).then_some(licence), consent: args.consent },
        context,
    );
    let granted = listed(&chain, &licences[published..=published]).await?.remove(0);
    context.output.data(&Published {
        next: context.output.command_of_others(&next),
        asset: parent,
        granted,
        days: args.days,
        signature: signature.to_string(),
    })
}
