//! Metaplex's Token Metadata program, the real one: tests and the embedded chain load it from target/deploy.

use crate::paths;
use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;
use std::{fs, path::PathBuf};

/// The locked crate whose package carries the program's file; it is fetched and never compiled.
const CARRIER: &str = "trident-svm";
const INSIDE: &str = "src/solana-program-library/metaplex-token-metadata.so";

/// Copies the program to `target/deploy/token_metadata.so` unless it is there already.
pub(crate) fn install() -> Result<()> {
    let source = carried()?;
    let place = paths::deploy().join("token_metadata.so");
    let bytes = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
    if fs::read(&place).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    fs::create_dir_all(paths::deploy())?;
    fs::write(&place, bytes).with_context(|| format!("cannot write {}", place.display()))
}

fn carried() -> Result<PathBuf> {
    let metadata = MetadataCommand::new()
        .manifest_path(paths::root().join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .context("cannot read the workspace")?;
    let carrier = metadata.packages.iter().find(|package| package.name.as_str() == CARRIER);
    let manifest = &carrier.with_context(|| format!("Cargo.lock holds no {CARRIER}"))?.manifest_path;
    Ok(manifest.with_file_name("").join(INSIDE).into_std_path_buf())
}
