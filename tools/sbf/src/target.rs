//! The compiler's view of the Solana VM: a target specification and flags.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::files::write_if_changed;

/// What the target's name begins with.
const TARGET_NAME: &str = "sbf-solana-stock";

/// The cargo profile; it is defined on the command line, so that the workspace's own profiles stay the host's.
pub(crate) const PROFILE: &str = "sbf";

/// Settings of [`PROFILE`], as cargo `--config` values.
pub(crate) const PROFILE_CONFIG: [&str; 8] = [
    "profile.sbf.inherits='release'",
    "profile.sbf.opt-level=3",
    "profile.sbf.lto='fat'",
    "profile.sbf.codegen-units=1",
    "profile.sbf.panic='abort'",
    "profile.sbf.overflow-checks=true",
    "profile.sbf.debug=false",
    "profile.sbf.strip=false",
];

/// Flags for crates of the target. Cargo gives `RUSTFLAGS` neither to build scripts nor to procedural
/// macros when it is called with `--target`.
pub(crate) const RUSTFLAGS: [&str; 9] = [
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Ctarget-cpu=v2",
    "-Aexplicit_builtin_cfgs_in_flags",
    // Selects the Solana code in the ecosystem's crates.
    "--cfg=target_os=\"solana\"",
    "--check-cfg=cfg(target_os, values(\"solana\"))",
    // Gives std's allocator a minimal alignment, which it defines for no BPF target.
    "--cfg=target_arch=\"csky\"",
    "-Cdebuginfo=0",
    "-Cstrip=none",
];

/// Writes the target specification that names `linker` into `dir` and returns its path.
///
/// Its name holds a digest of its text: cargo calls its artifacts after the name, and would mix those of two
/// texts. A file that is already there is not touched, because a newer one makes cargo build everything again.
pub(crate) fn write_specification(dir: &Path, linker: &Path) -> Result<PathBuf> {
    let linker = linker.to_str().context("the linker's path is not UTF-8")?;
    let specification = json!({
        "arch": "bpf",
        // The VM has one thread: the lowering turns atomics into plain accesses of any width.
        "atomic-cas": true,
        "min-atomic-width": 8,
        "max-atomic-width": 64,
        "singlethread": true,
        "crt-objects-fallback": "false",
        "data-layout": "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128",
        "dynamic-linking": true,
        "linker": linker,
        "linker-flavor": "bpf",
        "linker-is-gnu": false,
        "llvm-target": "bpfel",
        "merge-functions": "disabled",
        "metadata": {
            "description": "Solana bytecode by stock LLVM",
            "host_tools": false,
            "std": true,
            "tier": 3
        },
        "no-builtins": true,
        "obj-is-bitcode": true,
        // The one platform of std that has a single thread and no system calls.
        "os": "zkvm",
        "panic-strategy": "abort",
        "position-independent-executables": true,
        "pre-link-args": { "bpf": [crate::linker::MERGE] },
        "target-pointer-width": 64,
        "vendor": "unknown"
    });
    let text = serde_json::to_vec_pretty(&specification)?;
    // FNV-1a: short, and the same in every version of this tool.
    let digest = text
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let path = dir.join(format!("{TARGET_NAME}-{digest:016x}.json"));
    write_if_changed(&path, &text)?;
    Ok(path)
}
