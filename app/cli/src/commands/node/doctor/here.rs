//! What lies on this machine: key, disk, adapter.

use provena_node::{compute, config::Config, disk};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::finding::Findings;
use crate::commands::node::health::bytes;

/// Room below which a node takes no more jobs, and below which an operator should look.
const LEAST: u64 = 64 << 20;
const LITTLE: u64 = 2 << 30;

/// The key file, and who may read it.
pub(super) fn key(config: &Config, findings: &mut Findings) -> Option<Keypair> {
    let key = match config.key() {
        Ok(key) => key,
        Err(error) => {
            findings.fail("key", error.to_string(), "provena keygen --out FILE, and name it in [node] key");
            return None;
        }
    };
    let path = config.node.key.display();
    match others_may(&config.node.key) {
        Some(mode) if mode & 0o022 != 0 => {
            findings.fail("key", format!("others may replace {path} (mode {mode:03o})"), format!("chmod 600 {path}"));
        }
        Some(mode) if mode & 0o077 != 0 => {
            findings.warn("key", format!("others may read {path} (mode {mode:03o})"), format!("chmod 600 {path}"));
        }
        _ => findings.ok("key", key.pubkey().to_string()),
    }
    Some(key)
}

#[cfg(unix)]
fn others_may(path: &std::path::Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().ok().map(|metadata| metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn others_may(_: &std::path::Path) -> Option<u32> {
    None
}

/// The disk of the data folder, or of the nearest folder above that is there.
pub(super) fn disk(config: &Config, findings: &mut Findings) {
    let data = std::path::absolute(&config.node.data).unwrap_or_else(|_| config.node.data.clone());
    let Some(there) = data.ancestors().find(|folder| folder.is_dir()) else { return };
    match disk::space(there) {
        Ok(space) => {
            let found = format!("{} of {} free in {}", bytes(space.free), bytes(space.total), there.display());
            match space.free {
                ..LEAST => findings.fail("disk", found, "make room: a node with a full disk takes no jobs"),
                LEAST..LITTLE => findings.warn("disk", found, "artifacts and answers are kept here: make room"),
                _ => findings.ok("disk", found),
            }
        }
        Err(error) => {
            findings.fail("disk", format!("{} cannot be looked at: {error}", there.display()), "check [node] data");
        }
    }
}

/// The adapter, and whether it computes what the reference computes.
pub(super) async fn engine(config: &Config, findings: &mut Findings) {
    let opened = match compute::engine(config).await {
        Ok(opened) => opened,
        Err(error) => {
            findings.fail("adapter", error.to_string(), "set [engine] adapter = \"cpu\", which works everywhere");
            return;
        }
    };
    let adapter = opened.adapter();
    let tested = tokio::task::spawn_blocking(move || opened.self_test()).await;
    match tested {
        Ok(Ok(())) => findings.ok("adapter", format!("{} ({}), self-test passed", adapter.name, adapter.backend)),
        Ok(Err(error)) => findings.fail("adapter", error.to_string(), "set [engine] adapter = \"cpu\""),
        Err(error) => {
            findings.fail("adapter", format!("its self-test died: {error}"), "set [engine] adapter = \"cpu\"");
        }
    }
}
