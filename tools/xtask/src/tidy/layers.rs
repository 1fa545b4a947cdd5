//! Rules about which crate may depend on which: ARCHITECTURE.md's invariants.

use crate::{
    paths,
    run::{output, program},
};
use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// A crate, and the beginnings of names that must not be anywhere below it.
const ABSENT: [(&str, &[&str]); 8] = [
    (
        "provena-engine",
        &[
            "solana-",
            "anchor-",
            "tokio",
            "provena-client",
            "provena-node",
            "provena-registry",
            "provena-royalty",
            "provena-market",
        ],
    ),
    (
        "provena-wire",
        &[
            "solana-",
            "anchor-",
            "tokio",
            "wgpu",
            "provena-engine",
            "provena-client",
            "provena-node",
            "provena-registry",
            "provena-royalty",
            "provena-market",
        ],
    ),
    ("provena-client", &["wgpu", "axum", "provena-engine", "provena-node"]),
    ("provena-arith", &["anchor-", "tokio", "wgpu", "provena-"]),
    (
        "provena-common",
        &[
            "tokio",
            "wgpu",
            "provena-wire",
            "provena-engine",
            "provena-client",
            "provena-node",
            "provena-royalty",
            "provena-registry",
            "provena-market",
        ],
    ),
    (
        "provena-royalty",
        &["tokio", "wgpu", "provena-engine", "provena-client", "provena-node", "provena-market", "provena-registry"],
    ),
    ("provena-registry", &["tokio", "wgpu", "provena-engine", "provena-client", "provena-node", "provena-market"]),
    ("provena-market", &["tokio", "wgpu", "provena-engine", "provena-client", "provena-node"]),
];

pub(super) fn check() -> Result<Vec<String>> {
    // Of this machine's target only: what a crate links on the chain does not count for the engine.
    let version = output(&mut program("rustc", ["-vV"])).context("cannot ask rustc for its version")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let metadata = MetadataCommand::new()
        .manifest_path(paths::root().join("Cargo.toml"))
        .other_options(["--filter-platform".to_owned(), host.to_owned()])
        .exec()
        .context("cannot read the workspace")?;
    Ok(ABSENT.iter().flat_map(|(name, absent)| violations(&metadata, name, absent)).collect())
}

fn violations(metadata: &Metadata, name: &str, absent: &[&str]) -> Vec<String> {
    let Some(package) = metadata.packages.iter().find(|package| package.name.as_str() == name) else {
        return vec![format!("the workspace has no crate {name}")];
    };
    below(metadata, &package.id)
        .into_iter()
        .filter(|below| absent.iter().any(|start| below.starts_with(start)))
        .map(|below| format!("{name} must not depend on {below} (ARCHITECTURE.md, invariants)"))
        .collect()
}

/// Names of everything that a crate links, directly or not (build and test dependencies do not count).
fn below(metadata: &Metadata, root: &PackageId) -> BTreeSet<String> {
    let Some(resolve) = &metadata.resolve else { return BTreeSet::new() };
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(id) else { continue };
        for dependency in &node.deps {
            let linked = dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if linked && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    metadata
        .packages
        .iter()
        .filter(|package| seen.contains(&package.id))
        .map(|package| package.name.to_string())
        .collect()
}
