//! `provena asset show`: what the chain knows of a model or dataset.

use anyhow::Result;
use provena_client::{
    amount::{Amount, show_bps},
    asset,
    chain::Chain,
    mint, token,
};
use provena_registry::state::{Asset, AssetKind, AssetStatus};
use provena_wire::Untrusted;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::licence::{self, Listed};
use crate::{
    address,
    context::Context,
    output::{
        Report,
        style::Style,
        table::{Align, Table, facts},
        text::{cut, short_root},
    },
};

/// Columns of a parent's title.
const TITLE: usize = 26;

/// Arguments of `provena asset show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena asset show @digits\n  provena asset show @digits --json")]
pub(crate) struct Args {
    /// A minted model's or dataset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
}

/// A minted model or dataset.
#[derive(Serialize)]
pub(crate) struct AssetReport {
    asset: String,
    title: Option<Untrusted>,
    kind: &'static str,
    status: &'static str,
    owner: Option<String>,
    pool: String,
    version: u32,
    content_root: String,
    content_bytes: u64,
    recipe_root: Option<String>,
    registered_slot: u64,
    floor_basis_points: u16,
    unit_floors: Vec<UnitFloor>,
    licences: Vec<Listed>,
    parents: Vec<ParentReport>,
}

#[derive(Serialize)]
struct UnitFloor {
    mint: String,
    amount: u64,
    decimals: u8,
    #[serde(skip)]
    text: String,
}

#[derive(Serialize)]
struct ParentReport {
    asset: String,
    title: Option<Untrusted>,
    version: u32,
    licence: u32,
    basis_points: u16,
    /// Whether a parent was made from it, under a licence that binds every descendant.
    inherited: bool,
}

impl Report for AssetReport {
    fn text(&self, style: Style) -> String {
        let title = self.title.as_ref().map_or_else(|| "(no name)".into(), Untrusted::shown);
        let mut rows = vec![
            (self.kind, style.strong(&title)),
            ("asset", self.asset.clone()),
            ("owner", self.owner.clone().unwrap_or_else(|| "nobody".into())),
            ("royalty pool", self.pool.clone()),
            ("version", self.version.to_string()),
            ("content root", short_root(&self.content_root, style)),
        ];
        rows.extend(self.recipe_root.clone().map(|root| ("recipe root", short_root(&root, style))));
        if self.status != "active" {
            rows.push(("status", style.bad(self.status)));
        }
        let units = self.unit_floors.iter().map(|floor| format!(", {} per unit", floor.text)).collect::<String>();
        rows.push(("least royalty", format!("{} of each fee{units}", show_bps(self.floor_basis_points))));
        let granted = if self.licences.is_empty() { "not granted: it has no active licence" } else { "granted, for:" };
        rows.push(("building on it", granted.into()));
        let mut text = facts(&rows, style);
        if !self.licences.is_empty() {
            text += &format!("\n\n{}", licence::table(&self.licences, style));
        }
        if !self.parents.is_empty() {
            let mut table = Table::new(&[
                ("built on", Align::Address),
                ("title", Align::Left),
                ("share", Align::Right),
                ("under", Align::Left),
            ]);
            for parent in &self.parents {
                let through = if parent.inherited { ", inherited" } else { "" };
                let under = format!("licence {} of version {}{through}", parent.licence, parent.version);
                let title = parent.title.as_ref().map(Untrusted::shown).unwrap_or_default();
                table.row([parent.asset.clone(), cut(&title, TITLE), show_bps(parent.basis_points), under]);
            }
            text += &format!("\n\n{}", table.text(style));
        }
        text
    }
}

/// Shows it.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    context.output.data(&report(&chain, &args.asset).await?)
}

/// Everything about the asset whose NFT has this mint.
///
/// # Errors
/// There is none, or the chain does not answer.
pub(crate) async fn report(chain: &dyn Chain, mint: &Pubkey) -> Result<AssetReport> {
    let registered = asset::get(chain, mint).await?;
    let state = &registered.asset;
    let version = registered.version(chain, state.latest).await?;
    let mut licences = registered.licences(chain).await?;
    licences.retain(|licence| licence.is_active());
    let mut unit_floors = Vec::new();
    for floor in &registered.floors {
        let currency = token::currency(chain, &floor.mint).await?;
        let amount = Amount { base: floor.per_unit, decimals: currency.decimals };
        unit_floors.push(UnitFloor {
            mint: token::name(&floor.mint),
            amount: floor.per_unit,
            decimals: currency.decimals,
            text: format!("{amount} {}", currency.symbol),
        });
    }
    let mut parents = Vec::new();
    for edge in registered.parents(chain).await? {
        let parent = asset::at(chain, &edge.parent).await?;
        parents.push(ParentReport {
            asset: parent.mint.to_string(),
            title: mint::name_of(chain, &parent.mint).await?,
            version: edge.parent_version,
            licence: edge.licence,
            basis_points: edge.bps,
            inherited: !edge.is_direct(),
        });
    }
    let model = state.kind() == Ok(AssetKind::Model);
    Ok(AssetReport {
        asset: mint.to_string(),
        title: mint::name_of(chain, mint).await?,
        kind: if model { "model" } else { "dataset" },
        status: status(state),
        owner: token::owner_of(chain, mint).await?.map(|owner| owner.to_string()),
        pool: state.pool.to_string(),
        version: state.latest,
        content_root: hex::encode(version.content_root),
        content_bytes: version.content_len,
        recipe_root: model.then(|| hex::encode(version.recipe_root)),
        registered_slot: version.registered,
        floor_basis_points: state.floor_bps,
        unit_floors,
        licences: licence::listed(chain, &licences).await?,
        parents,
    })
}

/// Where an asset stands, in a word.
pub(crate) fn status(asset: &Asset) -> &'static str {
    match asset.status() {
        Ok(AssetStatus::Draft) => "draft",
        Ok(AssetStatus::Active) => "active",
        Ok(AssetStatus::Disputed) => "disputed",
        Ok(AssetStatus::Frozen) => "frozen",
        Err(_) => "unknown",
    }
}
