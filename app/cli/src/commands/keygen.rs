//! `provena keygen`: a new wallet in a file.

use std::path::{Path, PathBuf};

use anyhow::Result;
use provena_client::keys::{self, KeyFileError};
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
    /// The file to write [default: the file that --keypair names]. A wallet that is there already stays.
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
    /// Whether it is a new one: a wallet that is there already stays.
    created: bool,
}

impl Report for Keygen {
    fn text(&self, style: Style) -> String {
        let mut rows = vec![("address", self.address.clone())];
        rows.extend(self.name.clone().map(|name| ("called", style.strong(&name))));
        rows.push(("key file", self.file.display().to_string()));
        facts(&rows, style)
    }
}

/// Makes the key file, or shows the one that is there: who copies the same lines on the next day has his wallet, and goes
/// on.
pub(crate) fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let file = args.out.unwrap_or_else(|| context.keypair_path().to_owned());
    let there = if args.force { None } else { there(&file)? };
    let created = there.is_none();
    let key = match there {
        Some(key) => {
            context
                .output
                .note("This wallet is there already, and stays as it is. (--force puts a new one in its place.)");
            key
        }
        None => {
            let key = Keypair::new();
            keys::write(&file, &key, args.force)?;
            context.output.note("Keep the key file to yourself: whoever reads it owns what the wallet owns.");
            key
        }
    };
    // The wallet of every command needs no name; others are called as their files.
    let own = file == context.keypair_path();
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = match own {
        true => None,
        false => context.book.add(Kind::Wallet, &names::of_title(&stem, Kind::Wallet), key.pubkey(), &[]).ok(),
    };
    let name = name.map(|remembered| format!("@{}", remembered.name));
    context.output.data(&Keygen { address: key.pubkey().to_string(), name, file, created })
}

/// The key that a file holds already. What is no key file is for [`keys::write`] to refuse.
///
/// # Errors
/// Others can write it, so nobody knows whose key it is.
fn there(file: &Path) -> Result<Option<Keypair>> {
    match keys::read(file) {
        Ok(key) => Ok(Some(key)),
        Err(error @ KeyFileError::Writable { .. }) => Err(error.into()),
        Err(_) => Ok(None),
    }
}
