//! `provena model show`: an artifact file, or an asset on the chain.

use std::path::Path;

use anyhow::{Context as _, Result};
use provena_engine::artifact::{Activations, Artifact, LlamaRecipe, ModelRecipe, Summary};
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    commands::asset::show,
    context::Context,
    failure::Failure,
    output::{Report, style::Style, table::facts, text::printable},
};

/// Arguments of `provena model show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena model show digits.pvna\n  provena model show ASSET --json")]
pub(super) struct Args {
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

/// What only language models have.
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
            ("name", style.strong(&printable(&summary.name))),
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

/// Shows whichever it is.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
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
    context.output.data(&show::report(&chain, &mint).await?)
}
