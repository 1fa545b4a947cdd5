//! Where things are.

use std::path::{Path, PathBuf};

/// The programs, by the suffix of crate `provena-<name>` and library `provena_<name>`.
pub(crate) const PROGRAMS: [&str; 3] = ["registry", "royalty", "market"];

/// The repository's root: that of the clone in which `cargo xtask` runs, for several clones may share one built xtask.
pub(crate) fn root() -> PathBuf {
    let here = set("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    here.ancestors().nth(2).map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The user's cache folder for Provena.
pub(crate) fn cache() -> PathBuf {
    set("XDG_CACHE_HOME").unwrap_or_else(|| home().join(".cache")).join("provena")
}

/// The folder of what was fetched. `provena_engine::places` says the same; what xtask starts is told this answer.
pub(crate) fn assets() -> PathBuf {
    set("PROVENA_ASSETS").map_or_else(|| cache().join("assets"), |folder| root().join(folder))
}

/// A variable that holds something.
fn set(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Cargo's target folder for everything that xtask builds: outside the clone, so that a fresh clone starts warm.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| cache().join("target"), |folder| root().join(folder))
}

/// Programs that xtask fetched for itself, below `bin`.
pub(crate) fn tools() -> PathBuf {
    cache().join("tools")
}

/// Where programs are, as `anchor` and `solana` expect it.
pub(crate) fn deploy() -> PathBuf {
    root().join("target").join("deploy")
}

/// The embedded chain's own target folder: another workspace, another lock file.
pub(crate) fn localnet_target() -> PathBuf {
    target().join("localnet")
}

/// The embedded chain's binary.
pub(crate) fn localnet_binary() -> PathBuf {
    localnet_target().join("debug").join(exe("provena-localnet"))
}

/// The binary of a workspace crate.
pub(crate) fn binary(name: &str) -> PathBuf {
    target().join("debug").join(exe(name))
}

fn exe(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

fn home() -> PathBuf {
    std::env::var_os("HOME")
        .or_else(|| std::env::var_os("USERPROFILE"))
        .map_or_else(|| PathBuf::from("."), PathBuf::from)
}
