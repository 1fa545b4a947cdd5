//! `provena asset licence`: what others may build on an asset, and for what.

use anyhow::Result;
use clap::Subcommand;
use provena_client::{
    amount::{Amount, parse_bps, show_bps},
    asset::{self, Owner},
    chain::Chain,
    token,
};
use provena_registry::{LicenceTerms, state::Licence};
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::Changed;
use crate::{
    address,
    commands::{mint_args::text_hash, unit_price::UnitPrice},
    context::Context,
    output::{
        Report,
        style::Style,
        table::{Align, Table, facts},
        text::short,
    },
};

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
        after_help = "Examples:\n  provena asset licence publish @digits --share 10%\n  provena asset licence publish @digits --share 5% --consent --text 'CC BY-NC 4.0'\n\nA licence never changes. Retire it and publish another to ask for something else."
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
    /// The licence's name or text; its hash goes on the chain.
    #[arg(long, default_value = "all rights reserved")]
    text: String,
    /// Its number, which others name it by [default: the next].
    #[arg(long, value_name = "NUMBER")]
    number: Option<u32>,
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
        format!("{}\n\n{} {}", facts(&rows, style), style.faint("next:"), self.next)
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
    text_hash: String,
    issued_slot: u64,
    #[serde(skip)]
    unit_floor: Option<String>,
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
        ("consent", Align::Left),
        ("", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for licence in licences {
        table.row([
            licence.licence.to_string(),
            show_bps(licence.basis_points),
            show_bps(licence.floor_basis_points),
            licence.unit_floor.clone().unwrap_or_default(),
            if licence.consent_required { "needed" } else { "no" }.into(),
            if licence.active { "" } else { "retired" }.into(),
        ]);
    }
    table.text(style)
}

/// Licences with their amounts in words.
pub(super) async fn listed(chain: &dyn Chain, licences: &[Licence]) -> Result<Vec<Listed>> {
    let mut listed = Vec::new();
    for licence in licences {
        let asks = licence.floor_per_unit > 0;
        let unit_floor = match asks {
            true => Some(token::currency(chain, &licence.floor_mint).await?),
            false => None,
        };
        let unit_floor = unit_floor.map(|currency| {
            let amount = Amount { base: licence.floor_per_unit, decimals: currency.decimals };
            format!("{amount} {}", currency.symbol)
        });
        listed.push(Listed {
            licence: licence.id,
            active: licence.is_active(),
            basis_points: licence.bps,
            floor_basis_points: licence.floor_bps,
            floor_mint: asks.then(|| token::name(&licence.floor_mint)),
            floor_per_unit: asks.then_some(licence.floor_per_unit),
            consent_required: licence.needs_consent(),
            text_hash: hex::encode(licence.terms_hash),
            issued_slot: licence.issued,
            unit_floor,
        });
    }
    Ok(listed)
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
    let terms = LicenceTerms {
        floor_bps: args.floor,
        floor,
        consent: args.consent,
        ..LicenceTerms::sharing(args.share, text_hash(&args.text))
    };
    let owner = Owner::of(&chain, &wallet, &args.asset).await?;
    let (licence, signature) = owner.publish_licence(args.number, terms).await?;
    let (called, share) = (context.written(&args.asset), show_bps(args.share.max(1)));
    let next = format!(
        "provena model mint model.pvna --title 'A model'{} \\\n        --parent {called}={share}",
        context.local()
    );
    context.output.data(&Published {
        next: context.output.command(&next),
        asset: args.asset.to_string(),
        licence,
        basis_points: args.share,
        consent_required: args.consent,
        signature: signature.to_string(),
    })
}
