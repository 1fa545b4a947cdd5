//! `provena asset pending`: mintings that were interrupted.

use std::path::PathBuf;

use anyhow::Result;
use provena_client::{
    asset,
    chain::ChainReader as _,
    mint::Pending,
    royalty,
    share::{Share, show_shares},
};
use provena_wire::Untrusted;
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    context::Context,
    output::{Report, style::Style, table::facts},
};

#[derive(Serialize)]
#[serde(transparent)]
struct Mintings(Vec<Minting>);

#[derive(Serialize)]
struct Minting {
    title: Untrusted,
    content_root: String,
    asset: String,
    /// "other chain", "claimed", "pool", "draft" or "registered": how far it came.
    stage: &'static str,
    shares: Vec<Held>,
    file: PathBuf,
    /// The command that takes it back.
    #[serde(skip)]
    back: String,
}

/// A part of the revenue, as it was planned.
#[derive(Serialize)]
struct Held {
    address: String,
    share: String,
}

impl Report for Mintings {
    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return "No minting of this wallet was interrupted.".into();
        }
        let minting = |one: &Minting| {
            let stage = match one.stage {
                "registered" => "the asset is registered; the same command finishes the rest",
                "draft" => "the asset is put together; parents may be paid already",
                "pool" => "the royalty pool exists, the asset does not",
                "other chain" => "on another chain; name it with --url",
                _ => "the content may be claimed, nothing else exists",
            };
            const SHOWN: usize = 8;
            let mut rows = Vec::new();
            if !one.title.raw().is_empty() {
                rows.push(("title", style.strong(&one.title.shown())));
            }
            rows.extend([
                ("content root", style.strong(&one.content_root)),
                ("asset", one.asset.clone()),
                ("stage", stage.into()),
            ]);
            let mut shares: Vec<String> =
                one.shares.iter().take(SHOWN).map(|held| format!("{}={}", held.address, held.share)).collect();
            match one.shares.len().saturating_sub(SHOWN) {
                0 => {}
                more => shares.push(format!("and {more} more (--json lists them)")),
            }
            if !shares.is_empty() {
                rows.push(("shares", shares.join("\n")));
            }
            rows.push(("secrets", one.file.display().to_string()));
            facts(&rows, style)
        };
        let mintings: Vec<String> = self.0.iter().map(minting).collect();
        let backs: Vec<String> = self.0.iter().map(|one| format!("  {}", one.back)).collect();
        let hint = "The same command goes on, with the same file and options; or take it back:";
        format!("{}\n\n{hint}\n{}", mintings.join("\n\n"), backs.join("\n"))
    }
}

/// Lists them.
pub(super) async fn run(context: &Context<'_>) -> Result<()> {
    let mut mintings = Vec::new();
    let found = Pending::new(context.pending_folder()).list()?;
    if found.is_empty() {
        return context.output.data(&Mintings(mintings));
    }
    let chain = context.chain()?;
    let here = chain.cluster().await?;
    for unfinished in found {
        let mint = unfinished.key.pubkey();
        let stage = if unfinished.chain != here {
            "other chain"
        } else if asset::find(&chain, &mint).await?.is_some() {
            "registered"
        } else if asset::draft(&chain, &mint).await?.is_some() {
            "draft"
        } else if royalty::find_pool(&chain, &mint).await?.is_some() {
            "pool"
        } else {
            "claimed"
        };
        let held = |share: &Share| Held { address: share.address.to_string(), share: show_shares(share.shares) };
        let content_root = hex::encode(unfinished.content_root);
        mintings.push(Minting {
            back: context.output.command(&format!("provena asset abandon \\\n      {content_root}")),
            shares: unfinished.shares.iter().map(held).collect(),
            title: unfinished.title.as_str().into(),
            content_root,
            asset: mint.to_string(),
            stage,
            file: unfinished.file().to_owned(),
        });
    }
    context.output.data(&Mintings(mintings))
}
