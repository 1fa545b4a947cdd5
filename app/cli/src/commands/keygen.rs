//! `provena keygen`: a new wallet in a file.

use std::path::PathBuf;

use anyhow::Result;
use provena_client::keys;
use serde::Serialize;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    book::{Kind, names},
    context::Context,
    output::{Report, style::Style, table::facts},
};

/// Arguments of `provena keygen`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena keygen\n  provena keygen --out ada.json        whose address is @ada from now on"
)]
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
    /// What it is called on this machine, with its @.
    name: Option<String>,
    file: PathBuf,
}

impl Report for Keygen {
    fn text(&self, style: Style) -> String {
        let mut rows = vec![("address", self.address.clone())];
        rows.extend(self.name.clone().map(|name| ("called", style.strong(&name))));
        rows.push(("key file", self.file.display().to_string()));
        facts(&rows, style)
    }
}

/// Makes the key file.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let file = args.out.unwrap_or_else(|| context.keypair_path().to_owned());
    let key = Keypair::new();
    keys::write(&file, &key, args.force)?;
    context.output.note("Keep the key file to yourself: whoever reads it owns what the wallet owns.");
    // The wallet of every command needs no name; others are called as their files.
    let own = file == context.keypair_path();
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = match own {
        true => None,
        false => context.book.add(Kind::Wallet, &names::of_title(&stem, Kind::Wallet), key.pubkey(), &[]).ok(),
    };
    let name = name.map(|remembered| format!("@{}", remembered.name));
    context.output.data(&Keygen { address: key.pubkey().to_string(), name, file })
}
