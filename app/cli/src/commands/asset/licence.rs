//! `provena asset licence`: what others may build on an asset, and for what.

use anyhow::Result;
use clap::Subcommand;
use provena_client::{
    amount::{Amount, parse_bps, show_bps},
    asset::{self, Owner},
    chain::{Chain, ChainReader},
    token,
};
use provena_common::slot::Slot;
use provena_registry::{LicenceTerms, constants::uses, state::Licence};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::Changed;
use crate::{
    address,
    commands::{mint_args::text_hash, mint_report::mint_on, unit_price::UnitPrice},
    context::Context,
    failure::Failure,
    output::{
        Report,
        style::Style,
        table::{Align, Table, facts},
        text::short,
    },
};

/// Slots of a day as the chain counts them: 400 ms each.
const SLOTS_A_DAY: u64 = 216_000;

/// Arguments of `provena asset licence`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Publish a licence: from now on others may build on the asset
    #[command(
        after_help = "Examples:\n  provena asset licence publish @digits --share 10%\n  provena asset licence publish @digits --share 5% --consent --text 'CC BY-NC 4.0'\n  provena asset licence publish @digits --share 1% --every-descendant --price SOL=0.5 --most 100 --days 365\n\nA licence never changes. Retire it and publish another to ask for something else."
    )]
    Publish(Publish),
    /// Retire a licence: nothing more is granted by it; what was granted stays
    #[command(after_help = "Examples:\n  provena asset licence retire @digits 1")]
    Retire(Retire),
    /// List an asset's licences
    #[command(after_help = "Examples:\n  provena asset licence list @digits --all")]
    List(List),
}

#[derive(Debug, clap::Args)]
struct Publish {
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

impl Publish {
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

#[derive(Debug, clap::Args)]
struct Retire {
    /// The asset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// The licence's number.
    number: u32,
}

#[derive(Debug, clap::Args)]
struct List {
    /// The asset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
    /// Retired ones, too.
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct Published {
    asset: String,
    licence: u32,
    basis_points: u16,
    consent_required: bool,
    signature: String,
    #[serde(skip)]
    next: String,
}

impl Report for Published {
    fn text(&self, style: Style) -> String {
        let consent = if self.consent_required { ", with your signature" } else { "" };
        let rows = [
            ("asset", self.asset.clone()),
            ("licence", style.strong(&format!("number {}", self.licence))),
            ("grants", format!("building on it for {} of the revenue{consent}", show_bps(self.basis_points))),
            ("transaction", short(&self.signature)),
        ];
        facts(&rows, style) + &style.next(&self.next)
    }
}

/// A licence, for people and for programs.
#[derive(Serialize)]
pub(super) struct Listed {
    licence: u32,
    active: bool,
    basis_points: u16,
    floor_basis_points: u16,
    floor_mint: Option<String>,
    floor_per_unit: Option<u64>,
    consent_required: bool,
    every_descendant: bool,
    price_mint: Option<String>,
    /// In base units.
    price: Option<u64>,
    /// Derivatives so far, and at most.
    derivatives: u32,
    most_derivatives: Option<u32>,
    may_be_offered: bool,
    may_be_built_on: bool,
    text_hash: String,
    issued_slot: u64,
    /// The last slot in which it grants.
    last_slot: Option<u64>,
    /// Whether it would grant now.
    grants: bool,
    #[serde(skip)]
    unit_floor: Option<String>,
    #[serde(skip)]
    shown_price: Option<String>,
}

impl Listed {
    /// What is special about it, each in a few words.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if !self.active {
            remarks.push("retired".to_owned());
        } else if !self.grants {
            remarks.push("over".to_owned());
        }
        if self.every_descendant {
            remarks.push("binds every descendant".into());
        }
        if self.consent_required {
            remarks.push("owner must sign".into());
        }
        if let Some(most) = self.most_derivatives {
            remarks.push(format!("{} of {most} used", self.derivatives));
        }
        if !self.may_be_offered {
            remarks.push("no offers".into());
        }
        if !self.may_be_built_on {
            remarks.push("no derivatives".into());
        }
        remarks
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Licences(Vec<Listed>);

impl Report for Licences {
    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return "It grants nothing: it has no active licence.".into();
        }
        table(&self.0, style)
    }
}

/// Licences as a table.
pub(super) fn table(licences: &[Listed], style: Style) -> String {
    let columns = [
        ("licence", Align::Right),
        ("share", Align::Right),
        ("least royalty", Align::Right),
        ("per unit", Align::Right),
        ("price", Align::Right),
        ("", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for licence in licences {
        let mut remarks = licence.remarks().into_iter();
        table.row([
            licence.licence.to_string(),
            show_bps(licence.basis_points),
            show_bps(licence.floor_basis_points),
            licence.unit_floor.clone().unwrap_or_default(),
            licence.shown_price.clone().unwrap_or_else(|| "free".into()),
            remarks.next().unwrap_or_default(),
        ]);
        // A line of its own for each further one: a terminal is narrow.
        for remark in remarks {
            let nothing = String::new;
            table.row([nothing(), nothing(), nothing(), nothing(), nothing(), remark]);
        }
    }
    table.text(style)
}

/// Licences with their amounts in words.
pub(super) async fn listed(chain: &dyn Chain, licences: &[Licence]) -> Result<Vec<Listed>> {
    let slot = Slot(chain.slot().await?);
    let mut listed = Vec::new();
    for licence in licences {
        let (asks, priced) = (licence.floor_per_unit > 0, licence.price > 0);
        let unit_floor = shown(chain, &licence.floor_mint, licence.floor_per_unit).await?;
        let shown_price = shown(chain, &licence.price_mint, licence.price).await?;
        listed.push(Listed {
            licence: licence.id,
            active: licence.is_active(),
            basis_points: licence.bps,
            floor_basis_points: licence.floor_bps,
            floor_mint: asks.then(|| token::name(&licence.floor_mint)),
            floor_per_unit: asks.then_some(licence.floor_per_unit),
            consent_required: licence.needs_consent(),
            every_descendant: licence.is_absolute(),
            price_mint: priced.then(|| token::name(&licence.price_mint)),
            price: priced.then_some(licence.price),
            derivatives: licence.children,
            most_derivatives: (licence.most_children > 0).then_some(licence.most_children),
            may_be_offered: licence.uses & uses::SERVE != 0,
            may_be_built_on: licence.uses & uses::DERIVE != 0,
            text_hash: hex::encode(licence.terms_hash),
            issued_slot: licence.issued,
            last_slot: (licence.expires > 0).then_some(licence.expires),
            grants: licence.check_grant(slot).is_ok(),
            unit_floor,
            shown_price,
        });
    }
    Ok(listed)
}

/// An amount of a mint in words; nothing for none.
async fn shown(chain: &dyn Chain, mint: &Pubkey, base: u64) -> Result<Option<String>> {
    if base == 0 {
        return Ok(None);
    }
    let currency = token::currency(chain, mint).await?;
    Ok(Some(format!("{} {}", Amount { base, decimals: currency.decimals }, currency.symbol)))
}

/// Carries out the verb.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Publish(args) => publish(args, context).await,
        Verb::Retire(Retire { asset, number }) => {
            let wallet = context.wallet()?;
            let chain = context.chain()?;
            let signature = Owner::of(&chain, &wallet, &asset).await?.retire_licence(number).await?;
            context.output.data(&Changed::new(asset, "retired", format!("licence number {number}"), signature))
        }
        Verb::List(List { asset, all }) => {
            let chain = context.chain()?;
            let mut licences = asset::get(&chain, &asset).await?.licences(&chain).await?;
            licences.retain(|licence| all || licence.is_active());
            context.output.data(&Licences(listed(&chain, &licences).await?))
        }
    }
}

async fn publish(args: Publish, context: &Context<'_>) -> Result<()> {
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
        uses: args.uses(asset::get(&chain, &args.asset).await?.asset.uses)?,
        price,
        expires: match args.days {
            Some(days) => chain.slot().await?.saturating_add(u64::from(days) * SLOTS_A_DAY),
            None => 0,
        },
        most_children: args.most.map_or(0, std::num::NonZeroU32::get),
        ..LicenceTerms::sharing(args.share, text_hash(&args.text))
    };
    let (licence, signature) = owner.publish_licence(args.number, terms).await?;
    let next = mint_on(&context.written(&args.asset), args.share, context);
    context.output.data(&Published {
        next: context.output.command(&next),
        asset: args.asset.to_string(),
        licence,
        basis_points: args.share,
        consent_required: args.consent,
        signature: signature.to_string(),
    })
}
