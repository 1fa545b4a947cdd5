//! An asset's lineage as a tree, with what everybody earns of 1.00 that reaches its pool.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Result, anyhow};
use provena_client::{
    amount::{Amount, SOL_DECIMALS, show_bps},
    asset,
    chain::Chain,
    mint,
    royalty::{self, Reached},
    share::show_part,
};
use provena_registry::state::AssetKind;
use provena_royalty::client::{PoolShares, earnings};
use provena_wire::Untrusted;
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    commands::holder_names::Names,
    output::{
        Report,
        lines::wrap,
        style::Style,
        table::{Align, COLUMNS, Table},
        text::{cut, short_address},
    },
};

/// What is divided: 1.00 of a currency with nine decimals.
const WHOLE: u64 = 1_000_000_000;
/// Beneath the tree.
const ABOUT: &str = "1.00 is what reaches the asset's pool: a buyer's fee less the parts of the nodes and the protocol. \
                     The holders of a pool share all that reaches it, on every way.";
/// Columns of a line's name, its branches included, unless all is to be shown.
const NAME: usize = 50;

/// A lineage, for people and for programs.
#[derive(Serialize)]
pub(super) struct Lineage {
    asset: String,
    title: Option<Untrusted>,
    /// What reaches its pool, in parts of which a thousand million make 1.00.
    divided: u64,
    /// The asset's pool and all that its revenue reaches.
    pools: Vec<PoolReport>,
    /// What each wallet earns in all pools, the most first.
    earners: Vec<Earner>,
    #[serde(skip)]
    root: String,
}

#[derive(Serialize)]
struct PoolReport {
    pool: String,
    asset: String,
    title: Option<Untrusted>,
    kind: &'static str,
    /// What reaches it on all ways.
    receives: u64,
    holders: Vec<HolderReport>,
    /// What its licences granted it, and what it granted none.
    built_on: Vec<EdgeReport>,
}

#[derive(Serialize)]
struct HolderReport {
    holder: String,
    /// What it is called on this machine: with its @, or "you".
    name: Option<String>,
    /// Whether it is a pool, which passes on what it gets.
    pool: bool,
    shares: u64,
    total_shares: u64,
    earns: u64,
}

#[derive(Serialize)]
struct EdgeReport {
    asset: String,
    pool: String,
    licence: u32,
    version: u32,
    since_version: u32,
    basis_points: u16,
    inherited: bool,
    binds_every_descendant: bool,
}

#[derive(Serialize)]
struct Earner {
    holder: String,
    /// What it is called on this machine: with its @, or "you".
    name: Option<String>,
    earns: u64,
}

/// The lineage of the asset whose NFT has this mint.
///
/// # Errors
/// There is none, the chain does not answer, or pools pass everything on in a circle.
pub(super) async fn report(chain: &dyn Chain, mint: &Pubkey, names: &Names<'_>) -> Result<Lineage> {
    let registered = asset::get(chain, mint).await?;
    let reached = royalty::reached(chain, &registered.asset.pool).await?;
    let shares: BTreeMap<Pubkey, PoolShares> =
        reached.iter().map(|(pool, reached)| (*pool, reached.shares.clone())).collect();
    let divided = earnings(&shares, &registered.asset.pool, WHOLE);
    let divided =
        divided.map_err(|_| anyhow!("these pools pass all that they get on to each other, and nobody keeps it"))?;
    let earns = |pool: &Pubkey, holder: &Pubkey| {
        divided.iter().find(|one| one.pool == *pool && one.holder == *holder).map_or(0, |one| one.amount)
    };
    let mut pools = Vec::new();
    for (pool, known) in &reached {
        let arrives: u64 = divided.iter().filter(|one| one.holder == *pool).map(|one| one.amount).sum();
        let first = if *pool == registered.asset.pool { WHOLE } else { 0 };
        let holders = known.shares.holders.iter().map(|(holder, held)| HolderReport {
            holder: holder.to_string(),
            name: names.name(holder),
            pool: shares.contains_key(holder),
            shares: *held,
            total_shares: known.shares.total,
            earns: earns(pool, holder),
        });
        pools.push(PoolReport {
            receives: first + arrives,
            holders: holders.collect(),
            ..described(chain, pool, known).await?
        });
    }
    let mut wallets: BTreeMap<Pubkey, u64> = BTreeMap::new();
    for one in divided.iter().filter(|one| !shares.contains_key(&one.holder)) {
        *wallets.entry(one.holder).or_default() += one.amount;
    }
    let earner =
        |(holder, earns): (Pubkey, u64)| Earner { holder: holder.to_string(), name: names.name(&holder), earns };
    let mut earners: Vec<_> = wallets.into_iter().map(earner).collect();
    earners.sort_by_key(|earner| std::cmp::Reverse(earner.earns));
    Ok(Lineage {
        asset: mint.to_string(),
        title: mint::name_of(chain, mint).await?,
        divided: WHOLE,
        pools,
        earners,
        root: registered.asset.pool.to_string(),
    })
}

/// A pool with its asset's name and edges. The asset of a pool may not be registered.
async fn described(chain: &dyn Chain, pool: &Pubkey, known: &Reached) -> Result<PoolReport> {
    let registered = asset::find(chain, &known.asset).await?;
    let mut built_on = Vec::new();
    if let Some(registered) = &registered {
        for edge in registered.parents(chain).await? {
            built_on.push(EdgeReport {
                asset: asset::at(chain, &edge.parent).await?.mint.to_string(),
                pool: edge.pool.to_string(),
                licence: edge.licence,
                version: edge.parent_version,
                since_version: edge.since,
                basis_points: edge.bps,
                inherited: !edge.is_direct(),
                binds_every_descendant: edge.is_absolute(),
            });
        }
    }
    Ok(PoolReport {
        pool: pool.to_string(),
        asset: known.asset.to_string(),
        title: if registered.is_some() { mint::name_of(chain, &known.asset).await? } else { None },
        kind: match registered.map(|registered| registered.asset.kind()) {
            Some(Ok(AssetKind::Model)) => "model",
            Some(Ok(AssetKind::Dataset)) => "dataset",
            Some(Err(_)) | None => "not registered",
        },
        receives: 0,
        holders: Vec::new(),
        built_on,
    })
}

impl Report for Lineage {
    fn text(&self, style: Style) -> String {
        let columns = [("made from, and held by", Align::Left), ("share", Align::Right), ("of 1.00", Align::Right)];
        let mut drawing = Drawing { lineage: self, style, table: Table::new(&columns), drawn: HashSet::new() };
        if let Some(root) = self.pool(&self.root) {
            drawing.table.row([drawing.fitted(&drawing.name(root)), String::new(), part(self.divided)]);
            drawing.holders(root, "");
        }
        let mut totals =
            Table::new(&[("earns in all", Align::Address), ("who", Align::Left), ("of 1.00", Align::Right)]);
        for earner in &self.earners {
            totals.row([earner.holder.clone(), earner.name.clone().unwrap_or_default(), part(earner.earns)]);
        }
        let about = wrap(ABOUT, COLUMNS).join("\n");
        format!("{}\n\n{}\n\n{}", drawing.table.text(style), style.faint(&about), totals.text(style))
    }
}

impl Lineage {
    fn pool(&self, address: &str) -> Option<&PoolReport> {
        self.pools.iter().find(|pool| pool.pool == address)
    }
}

/// The tree while it is drawn.
struct Drawing<'a> {
    lineage: &'a Lineage,
    style: Style,
    table: Table,
    /// Pools whose holders were drawn.
    drawn: HashSet<&'a str>,
}

impl<'a> Drawing<'a> {
    /// A line's name, whole where all is asked for.
    fn fitted(&self, name: &str) -> String {
        if self.style.full() { name.to_owned() } else { cut(name, NAME) }
    }

    fn name(&self, pool: &PoolReport) -> String {
        match &pool.title {
            Some(title) => format!("{} ({})", title.shown(), pool.kind),
            None => format!("pool {} ({})", short_address(&pool.pool, self.style), pool.kind),
        }
    }

    /// The holders of a pool, and beneath those that are pools theirs; each pool's once.
    fn holders(&mut self, pool: &'a PoolReport, indent: &str) {
        self.drawn.insert(&pool.pool);
        let count = pool.holders.len();
        for (number, holder) in pool.holders.iter().enumerate() {
            let last = number + 1 == count;
            let (branch, below) = if last { ("└ ", "  ") } else { ("├ ", "│ ") };
            let passes = if holder.pool { self.lineage.pool(&holder.holder) } else { None };
            let again = passes.is_some_and(|parent| self.drawn.contains(parent.pool.as_str()));
            let name = match passes {
                Some(parent) if again => format!("{}, see above", self.name(parent)),
                Some(parent) => self.name(parent),
                None => {
                    let address = short_address(&holder.holder, self.style);
                    holder.name.as_ref().map_or_else(|| address.clone(), |name| format!("{name} ({address})"))
                }
            };
            let share = show_part(holder.shares, holder.total_shares);
            self.table.row([self.fitted(&format!("{indent}{branch}{name}")), share, part(holder.earns)]);
            let edge = passes.and_then(|parent| pool.built_on.iter().find(|edge| edge.pool == parent.pool));
            if let Some(edge) = edge {
                self.table.row([format!("{indent}{below}  {}", terms(edge)), String::new(), String::new()]);
            }
            if let Some(parent) = passes.filter(|_| !again) {
                self.holders(parent, &format!("{indent}{below}"));
            }
        }
    }
}

/// Under what an ancestor holds its share.
fn terms(edge: &EdgeReport) -> String {
    let inherited = if edge.inherited { ", inherited" } else { "" };
    let asks = show_bps(edge.basis_points);
    format!("licence {} of version {} asks for {asks}{inherited}", edge.licence, edge.version)
}

/// A part of 1.00, with two digits at least.
fn part(earns: u64) -> String {
    let text = Amount { base: earns, decimals: SOL_DECIMALS }.to_string();
    match text.split_once('.') {
        Some((whole, digits)) => format!("{whole}.{digits:0<2}"),
        None => format!("{text}.00"),
    }
}
