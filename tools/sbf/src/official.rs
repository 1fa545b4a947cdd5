//! Hands a call over to Solana's own compiler, where it is installed and asked for.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

/// The variable that asks for Solana's own compiler, like the flag `--official`.
pub(crate) const OFFICIAL_VARIABLE: &str = "PROVENA_SBF_OFFICIAL";

/// Runs the official `cargo-build-sbf` with `args` and returns its exit code.
///
/// # Errors
/// When none is found besides this tool itself.
pub(crate) fn run(args: &[String]) -> Result<i32> {
    let Some(tool) = find()? else {
        bail!(
            "Solana's own cargo-build-sbf was asked for (--official or {OFFICIAL_VARIABLE}), but none is on the PATH or in \
             ~/.local/share/solana/install/active_release/bin\ninstall it (sh -c \"$(curl -sSfL https://release.anza.xyz/stable/install)\") \
             or leave the flag out to build with stock Rust"
        );
    };
    let status = Command::new(&tool)
        .args(args)
        .env_remove(OFFICIAL_VARIABLE)
        .status()
        .with_context(|| format!("cannot run {}", tool.display()))?;
    Ok(status.code().unwrap_or(1))
}

/// The first `cargo-build-sbf` that is not this tool.
fn find() -> Result<Option<PathBuf>> {
    let own = env::current_exe()?.canonicalize()?;
    let mut dirs: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    if let Some(home) = env::home_dir() {
        dirs.push(home.join(".local/share/solana/install/active_release/bin"));
    }
    let name = format!("cargo-build-sbf{}", env::consts::EXE_SUFFIX);
    for dir in dirs {
        if let Ok(path) = dir.join(&name).canonicalize()
            && path.is_file()
            && path != own
            && !is_this_tool(&path)
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Another copy of this tool would call itself for ever.
fn is_this_tool(path: &std::path::Path) -> bool {
    Command::new(path)
        .arg("--version")
        .env_remove(OFFICIAL_VARIABLE)
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("provena-"))
}
