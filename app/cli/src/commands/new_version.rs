//! What `model version` and `dataset version` have in common.

use anyhow::{Context as _, Result};
use provena_client::{
    mint::{Mint, Pending},
    store::Store,
};
use provena_engine::artifact::Family;
use provena_registry::Recipe;
use serde::Serialize;
use solana_pubkey::Pubkey;

use super::{mint_args::interrupted, offer::price::usual_price, parent_args::ParentArgs};
use crate::{
    context::Context,
    output::{
        Report,
        progress::Progress,
        style::Style,
        table::facts,
        text::{short_each, short_root},
    },
    stop,
};

#[derive(Serialize)]
struct Added {
    asset: String,
    version: u32,
    content_root: String,
    signatures: Vec<String>,
    #[serde(skip)]
    next: Option<String>,
}

impl Report for Added {
    fn text(&self, style: Style) -> String {
        let rows = [
            ("asset", self.asset.clone()),
            ("version", style.strong(&self.version.to_string())),
            ("content root", short_root(&self.content_root, style)),
            ("transactions", short_each(&self.signatures)),
        ];
        facts(&rows, style) + &self.next.as_deref().map(|next| style.next(next)).unwrap_or_default()
    }
}

/// Adds `content` as the next version of `asset` and reports it; `recipe` is a model's.
pub(super) async fn add(
    context: &Context<'_>,
    asset: Pubkey,
    content: Vec<u8>,
    parents: &ParentArgs,
    model: Option<(Recipe, Family)>,
) -> Result<()> {
    let recipe = model.as_ref().map(|(recipe, _)| *recipe);
    let wallet = context.wallet()?;
    let chain = context.chain_with_tables().await?;
    let (plans, consents) = (parents.plans()?, parents.consents(&chain).await?);
    let store = Store::open(context.store_urls()).context("cannot open the store")?;
    let progress = Progress::spinner(context.output, "adding a version");
    let pending = Pending::new(context.pending_folder());
    let mint = Mint { chain: &chain, store: &store, creator: &wallet, consents: &consents, pending };
    let step = |what| progress.message(what);
    let added = tokio::select! {
        added = mint.add_version(&asset, recipe, &plans, content, &step) => added?,
        () = stop::requested() => return Err(interrupted()),
    };
    drop(progress);
    context.output.data(&Added {
        asset: asset.to_string(),
        version: added.n,
        content_root: hex::encode(added.content_root),
        signatures: added.signatures.iter().map(ToString::to_string).collect(),
        next: model.map(|(_, family)| {
            let (called, price) = (context.written(&asset), usual_price(family));
            context
                .output
                .command(&format!("provena offer create {called} --price {price}   (offers sell one version)"))
        }),
    })
}
