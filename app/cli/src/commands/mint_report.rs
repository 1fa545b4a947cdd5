//! What is told of a minting.

mod built_on;

use provena_client::{
    amount::show_bps,
    mint::{FIRST_LICENCE, Minted, Plan},
};
use provena_engine::artifact::Family;
use provena_registry::constants::uses;
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer as _;

use super::offer::price::usual_price;
use crate::{
    context::Context,
    output::{
        Report,
        style::Style,
        table::facts,
        text::{printable, short_each, short_root, short_uri},
    },
};

use built_on::BuiltOn;
pub(super) use built_on::Lineage;

/// A minting, for people and for programs.
#[derive(Serialize)]
pub(super) struct MintReport {
    kind: &'static str,
    title: String,
    asset: String,
    pool: String,
    content_root: String,
    uri: String,
    owner: String,
    /// Number of the licence under which others may build on it.
    licence: Option<u32>,
    floor_basis_points: u16,
    holders: usize,
    may_be_offered: Option<bool>,
    may_be_built_on: Option<bool>,
    /// The licences that were taken; nothing where the chain did not say.
    built_on: Option<Vec<BuiltOn>>,
    signatures: Vec<String>,
    /// What it is called on this machine, with its @.
    name: Option<String>,
    #[serde(skip)]
    next: Option<String>,
}

impl Report for MintReport {
    fn text(&self, style: Style) -> String {
        let mut rows = vec![(self.kind, style.strong(&printable(&self.title))), ("asset", self.asset.clone())];
        rows.extend(self.name.clone().map(|name| ("called", style.strong(&name))));
        rows.extend([
            ("owner", self.owner.clone()),
            ("royalty pool", self.pool.clone()),
            ("content root", short_root(&self.content_root, style)),
            ("metadata", short_uri(&printable(&self.uri), style)),
        ]);
        if self.floor_basis_points > 0 {
            let floor = show_bps(self.floor_basis_points);
            rows.push(("least royalty", format!("{floor} of each fee, for ever")));
        }
        let built_on: Vec<String> = self.built_on.iter().flatten().map(BuiltOn::text).collect();
        if !built_on.is_empty() {
            rows.push(("built on", built_on.join("\n")));
        }
        let offers = (self.may_be_offered == Some(false)).then_some("offers of it");
        let derivatives = (self.may_be_built_on == Some(false)).then_some("building on it");
        let forbidden: Vec<&str> = offers.into_iter().chain(derivatives).collect();
        if !forbidden.is_empty() {
            rows.push(("forbidden", format!("{}, by the licences that it was built under", forbidden.join(" and "))));
        }
        rows.push(("transactions", short_each(&self.signatures)));
        facts(&rows, style) + &self.next.as_deref().map(|next| style.next(next)).unwrap_or_default()
    }
}

/// A parent in a proposed command.
pub(crate) struct Parent<'a> {
    /// Its address or name.
    pub asset: &'a str,
    /// Basis points that its licence asks for.
    pub bps: u16,
    /// The licence's number, where it may not be the one that is taken by itself.
    pub under: Option<u32>,
    /// Whether its owner must sign.
    pub consent: bool,
}

/// The command that mints a model on this parent, for the share that its licence asks for.
pub(crate) fn mint_on(parent: &Parent<'_>, context: &Context<'_>) -> String {
    /// What is proposed where a licence asks for nothing: a parent's share cannot be nothing.
    const LITTLE: u16 = 100;
    let &Parent { asset, bps, under, consent } = parent;
    let share = show_bps(if bps == 0 { LITTLE } else { bps });
    let under = under.map(|number| format!(" \\\n        --under {asset}={number}")).unwrap_or_default();
    let consent = if consent { " \\\n        --consent OWNERS-KEY.json" } else { "" };
    let local = context.local();
    format!(
        "provena model mint model.pvna \\\n        --title 'A model'{local} \\\n        --parent {asset}={share}{under}{consent}"
    )
}

impl MintReport {
    /// Of a minting; `family` is a model's, `name` what it is called on this machine, `lineage` what the chain said of it.
    pub(super) fn new(
        plan: &Plan,
        minted: &Minted,
        wallet: &Keypair,
        (family, name): (Option<Family>, Option<String>),
        lineage: Option<Lineage>,
        context: &Context<'_>,
    ) -> Self {
        let asset = minted.mint.to_string();
        let called = name.clone().unwrap_or_else(|| asset.clone());
        // Where the chain did not say what is allowed, all is proposed.
        let allowed = lineage.as_ref().map(|lineage| lineage.uses);
        let may = |what: u32| allowed.is_none_or(|allowed| allowed & what == what);
        let next = match (family, &plan.licence) {
            (Some(family), _) if may(uses::SERVE) => {
                Some(format!("provena offer create {called} --price {}", usual_price(family)))
            }
            _ if !may(uses::DERIVE) => None,
            (_, Some(terms)) => {
                let parent = Parent { asset: &called, bps: terms.bps, under: None, consent: false };
                Some(mint_on(&parent, context))
            }
            (_, None) => Some(format!("provena asset licence publish {called} --share 10%")),
        };
        let next = next.map(|next| context.output.command(&next));
        let kind = if family.is_some() { "model" } else { "dataset" };
        Self {
            kind,
            title: plan.text.title.clone(),
            asset,
            pool: minted.pool.to_string(),
            content_root: hex::encode(minted.content_root),
            uri: minted.uri.clone(),
            owner: wallet.pubkey().to_string(),
            licence: plan.licence.map(|_| FIRST_LICENCE),
            floor_basis_points: minted.floors.bps,
            holders: minted.holders,
            may_be_offered: allowed.map(|_| may(uses::SERVE)),
            may_be_built_on: allowed.map(|_| may(uses::DERIVE)),
            built_on: lineage.map(|lineage| lineage.built_on),
            signatures: minted.signatures.iter().map(ToString::to_string).collect(),
            name,
            next,
        }
    }
}
