//! `provena asset versions`: what an asset has been, version by version.

use anyhow::Result;
use provena_client::{
    asset::{self, Registered},
    chain::Chain,
};
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    address,
    context::Context,
    output::{
        Report,
        style::Style,
        table::{Align, Table},
        text::short_root,
    },
};

/// Arguments of `provena asset versions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena asset versions @digits\n  provena asset versions @digits --json")]
pub(super) struct Args {
    /// A minted model's or dataset's address.
    #[arg(value_parser = address::parse)]
    asset: Pubkey,
}

/// A version, for people and for programs.
#[derive(Serialize)]
struct Listed {
    version: u32,
    content_root: String,
    content_bytes: u64,
    recipe_root: Option<String>,
    registered_slot: u64,
    /// Assets that it was the first version to be made from.
    new_parents: Vec<String>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Versions(Vec<Listed>);

impl Report for Versions {
    fn text(&self, style: Style) -> String {
        let columns = [
            ("version", Align::Right),
            ("content root", Align::Left),
            ("bytes", Align::Right),
            ("slot", Align::Right),
            ("made from, besides", Align::Left),
        ];
        let mut table = Table::new(&columns);
        for version in &self.0 {
            let more = match version.new_parents.len() {
                0 => String::new(),
                1 => "1 asset".into(),
                count => format!("{count} assets"),
            };
            table.row([
                version.version.to_string(),
                short_root(&version.content_root, style),
                version.content_bytes.to_string(),
                version.registered_slot.to_string(),
                more,
            ]);
        }
        table.text(style)
    }
}

/// Lists them, the latest first.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let chain = context.chain()?;
    let registered = asset::get(&chain, &args.asset).await?;
    context.output.data(&Versions(listed(&chain, &registered).await?))
}

async fn listed(chain: &dyn Chain, registered: &Registered) -> Result<Vec<Listed>> {
    let mut parents = Vec::new();
    for edge in registered.parents(chain).await? {
        parents.push((edge.since, asset::at(chain, &edge.parent).await?.mint.to_string()));
    }
    let mut listed = Vec::new();
    for version in registered.versions(chain).await?.into_iter().rev() {
        listed.push(Listed {
            version: version.n,
            content_root: hex::encode(version.content_root),
            content_bytes: version.content_len,
            recipe_root: (version.recipe_len > 0).then(|| hex::encode(version.recipe_root)),
            registered_slot: version.registered,
            new_parents: parents
                .iter()
                .filter(|(since, _)| *since == version.n)
                .map(|(_, mint)| mint.clone())
                .collect(),
        });
    }
    Ok(listed)
}
