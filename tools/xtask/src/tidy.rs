//! `cargo xtask tidy`: the rules of the tree that a compiler does not know.

mod docs;
mod layers;
mod sources;

use crate::{paths, run::program};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

pub(crate) fn run() -> Result<()> {
    let files = tracked()?;
    let mut faults = Vec::new();
    faults.extend(sources::check(&files)?);
    faults.extend(docs::check(&files)?);
    faults.extend(layers::check()?);
    if faults.is_empty() {
        eprintln!("tidy: {} files follow the rules", files.len());
        return Ok(());
    }
    bail!("{} faults:\n  {}", faults.len(), faults.join("\n  "))
}

/// Files that git tracks or would, relative to the root.
fn tracked() -> Result<Vec<PathBuf>> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let listing = program("git", args).output().context("cannot start git")?;
    if !listing.status.success() {
        bail!("git cannot list this tree's files: {}", String::from_utf8_lossy(&listing.stderr).trim());
    }
    let names = String::from_utf8(listing.stdout).context("a file's name is not UTF-8")?;
    let mut files: Vec<_> =
        names.lines().map(PathBuf::from).filter(|file| paths::root().join(file).is_file()).collect();
    files.sort();
    files.dedup();
    Ok(files)
}
