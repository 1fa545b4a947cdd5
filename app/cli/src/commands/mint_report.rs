//! What is told of a minting.

use provena_client::{
    amount::show_bps,
    mint::{FIRST_LICENCE, Minted, Plan},
};
use provena_engine::artifact::Family;
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
    signatures: Vec<String>,
    /// What it is called on this machine, with its @.
    name: Option<String>,
    #[serde(skip)]
    next: String,
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
        rows.push(("transactions", short_each(&self.signatures)));
        facts(&rows, style) + &style.next(&self.next)
    }
}

/// The command that mints a model on this parent, for the share that its licence asks for.
pub(crate) fn mint_on(parent: &str, bps: u16, context: &Context<'_>) -> String {
    let (local, share) = (context.local(), show_bps(bps.max(1)));
    format!("provena model mint model.pvna --title 'A model'{local} \\\n        --parent {parent}={share}")
}

impl MintReport {
    /// Of a minting; `family` is a model's, `name` what it is called on this machine.
    pub(super) fn new(
        plan: &Plan,
        minted: &Minted,
        wallet: &Keypair,
        (family, name): (Option<Family>, Option<String>),
        context: &Context<'_>,
    ) -> Self {
        let asset = minted.mint.to_string();
        let called = name.clone().unwrap_or_else(|| asset.clone());
        let (kind, next) = match (family, &plan.licence) {
            (Some(family), _) => ("model", format!("provena offer create {called} --price {}", usual_price(family))),
            (None, Some(terms)) => ("dataset", mint_on(&called, terms.bps, context)),
            (None, None) => ("dataset", format!("provena asset licence publish {called} --share 10%")),
        };
        let next = context.output.command(&next);
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
            signatures: minted.signatures.iter().map(ToString::to_string).collect(),
            name,
            next,
        }
    }
}
