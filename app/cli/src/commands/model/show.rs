//! `provena model show`: an artifact file, or an asset on the chain.

use std::path::Path;

use anyhow::{Context as _, Result};
use provena_client::{
    amount::show_bps,
    chain::{Chain, accounts},
    mint,
};
use provena_engine::artifact::{Activations, Artifact, LlamaRecipe, ModelRecipe, Summary};
use provena_registry::state::{Asset, AssetKind};
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    context::Context,
    failure::Failure,
    output::{
        Report,
        style::Style,
        table::{Align, Table, facts},
    },
};

/// Arguments of `provena model show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena model show digits.pvna\n  provena model show ASSET --json")]
pub struct Args {
    /// A .pvna file, or a minted asset's address (datasets too).
    #[arg(value_name = "FILE|ASSET")]
    what: String,
}

#[derive(Serialize)]
struct ArtifactReport {
    #[serde(flatten)]
    summary: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    decoder: Option<Decoder>,
}

/// What only models of words have.
#[derive(Serialize)]
struct Decoder {
    layers: u32,
    width: u32,
    heads: u32,
    kv_heads: u32,
    /// Tokens that one sees, itself included; 0 for all.
    window: u32,
    /// Bits of the activations that matrix products read.
    activation_bits: u8,
    /// Whether it can be asked in conversations.
    chat_template: bool,
}

impl Decoder {
    fn new(recipe: &LlamaRecipe) -> Self {
        Self {
            layers: recipe.layers,
            width: recipe.width,
            heads: recipe.heads,
            kv_heads: recipe.kv_heads,
            window: recipe.window,
            activation_bits: if recipe.activations == Activations::Split { 16 } else { 8 },
            chat_template: !recipe.chat_template.is_empty(),
        }
    }
}

impl ArtifactReport {
    fn new(artifact: &Artifact) -> Self {
        let decoder = match &artifact.recipe().model {
            ModelRecipe::Llama(recipe) => Some(Decoder::new(recipe)),
            _ => None,
        };
        Self { summary: artifact.summary(), decoder }
    }
}

impl Report for ArtifactReport {
    fn text(&self, style: Style) -> String {
        let summary = &self.summary;
        let mut rows = vec![
            ("name", style.strong(&summary.name)),
            ("family", summary.family.to_string()),
            ("arithmetic", format!("{} (exact integers)", summary.class)),
            ("content root", summary.content_root.clone()),
            ("recipe root", summary.recipe_root.clone()),
            ("size", format!("{} bytes, {} tensors, {} weights", summary.bytes, summary.tensors, summary.parameters)),
        ];
        match &self.decoder {
            None => rows.extend([
                ("takes", format!("up to {} values or tokens", summary.max_input)),
                ("answers", format!("{} values", summary.outputs)),
            ]),
            Some(decoder) => {
                let Decoder { layers, width, heads, kv_heads, activation_bits, .. } = decoder;
                let shape = format!(
                    "{layers} layers of {width}, {heads} heads on {kv_heads}, activations of {activation_bits} bits"
                );
                let window = match decoder.window {
                    0 => String::new(),
                    window => format!(", of which each sees the last {window}"),
                };
                let chat = match decoder.chat_template {
                    true => "yes, by its own template",
                    false => "no template: it continues texts (--plain)",
                };
                rows.extend([
                    ("shape", shape),
                    ("takes", format!("up to {} tokens, the answer included{window}", summary.max_input)),
                    ("answers", format!("words, from {} tokens", summary.outputs)),
                    ("chats", chat.to_owned()),
                ]);
            }
        }
        facts(&rows, style)
    }
}

#[derive(Serialize)]
struct AssetReport {
    asset: String,
    title: Option<String>,
    kind: &'static str,
    version: u32,
    previous: Option<String>,
    creator: String,
    pool: String,
    content_root: String,
    recipe_root: Option<String>,
    licence_hash: String,
    derivative_basis_points: u16,
    consent_required: bool,
    registered_slot: u64,
    parents: Vec<ParentReport>,
}

#[derive(Serialize)]
struct ParentReport {
    asset: String,
    title: Option<String>,
    basis_points: u16,
}

impl Report for AssetReport {
    fn text(&self, style: Style) -> String {
        let consent = if self.consent_required { ", with consent only" } else { "" };
        let mut rows = vec![
            (self.kind, style.strong(self.title.as_deref().unwrap_or("(no name)"))),
            ("asset", self.asset.clone()),
            ("version", self.version.to_string()),
            ("creator", self.creator.clone()),
            ("royalty pool", self.pool.clone()),
            ("content root", self.content_root.clone()),
        ];
        rows.extend(self.recipe_root.clone().map(|root| ("recipe root", root)));
        rows.push(("asks of derivatives", show_bps(self.derivative_basis_points) + consent));
        let mut text = facts(&rows, style);
        if !self.parents.is_empty() {
            let mut table = Table::new(&[("built on", Align::Left), ("share", Align::Right), ("asset", Align::Left)]);
            for parent in &self.parents {
                let title = parent.title.clone().unwrap_or_default();
                table.row([title, show_bps(parent.basis_points), parent.asset.clone()]);
            }
            text += &format!("\n\n{}", table.text(style));
        }
        text
    }
}

/// Shows whichever it is.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let path = Path::new(&args.what);
    if path.is_file() {
        let artifact = Artifact::open(path).with_context(|| format!("{} is no valid artifact", path.display()))?;
        return context.output.data(&ArtifactReport::new(&artifact));
    }
    let mint: Pubkey = args.what.parse().map_err(|_| {
        Failure::usage(format!("`{}` is neither a file nor an asset's address", args.what))
            .hint("provena model show digits.pvna   or the address that `provena model mint` printed")
    })?;
    let chain = context.chain()?;
    context.output.data(&asset(&chain, mint).await?)
}

async fn asset(chain: &dyn Chain, mint: Pubkey) -> Result<AssetReport> {
    let address = provena_registry::pda::asset(&mint).0;
    let asset = accounts::fetch_optional::<Asset, _>(chain, &address).await.context("cannot read the asset")?;
    let asset = asset.ok_or_else(|| {
        Failure::failed(format!("{mint} is no asset on this chain")).hint("check the address and --url")
    })?;
    let mut parents = Vec::new();
    for parent in asset.parents() {
        let state: Asset = accounts::fetch(chain, &parent.asset).await.context("cannot read a parent")?;
        let title = mint::name_of(chain, &state.mint).await?;
        parents.push(ParentReport { asset: state.mint.to_string(), title, basis_points: parent.bps });
    }
    let previous = match asset.previous == Pubkey::default() {
        true => None,
        false => Some(accounts::fetch::<Asset, _>(chain, &asset.previous).await?.mint.to_string()),
    };
    let model = asset.kind() == Some(AssetKind::Model);
    Ok(AssetReport {
        asset: mint.to_string(),
        title: mint::name_of(chain, &mint).await?,
        kind: if model { "model" } else { "dataset" },
        version: asset.version,
        previous,
        creator: asset.creator.to_string(),
        pool: asset.pool.to_string(),
        content_root: hex::encode(asset.content_root),
        recipe_root: model.then(|| hex::encode(asset.recipe_root)),
        licence_hash: hex::encode(asset.licence.terms_hash),
        derivative_basis_points: asset.licence.derivative_bps,
        consent_required: asset.licence.consent_required(),
        registered_slot: asset.registered_slot,
        parents,
    })
}
