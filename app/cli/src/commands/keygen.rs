//! `provena keygen`: a new wallet in a file.

use std::path::PathBuf;

use anyhow::Result;
use provena_client::keys;
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    context::Context,
    output::{Report, style::Style, table::facts},
};

/// Arguments of `provena keygen`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  provena keygen\n  provena keygen --out holder.json")]
pub(crate) struct Args {
    /// The file to write [default: the file that --keypair names].
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace an existing file; what its key owns is lost unless you have a copy.
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Keygen {
    address: String,
    file: PathBuf,
}

impl Report for Keygen {
    fn text(&self, style: Style) -> String {
        facts(&[("address", self.address.clone()), ("key file", self.file.display().to_string())], style)
    }
}

/// Makes the key file.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let file = args.out.unwrap_or_else(|| context.keypair_path().to_owned());
    let key = Keypair::new();
    keys::write(&file, &key, args.force)?;
    context.output.note("Keep the key file to yourself: whoever reads it owns what the wallet owns.");
    context.output.data(&Keygen { address: key.pubkey().to_string(), file })
}
