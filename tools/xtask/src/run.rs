//! Running other programs.

use crate::paths;
use anyhow::{Context, Result, bail};
use std::{ffi::OsStr, process::Command};

/// `cargo` in the repository's root with the shared target folder.
pub(crate) fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = program("cargo", args);
    command.env("CARGO_TARGET_DIR", paths::target()).env("PROVENA_ASSETS", paths::assets());
    command
}

/// Any program in the repository's root.
///
/// What Cargo told xtask about its own package is not passed on: build scripts that watch these variables (`ring`'s does)
/// would run again for every clone, and with them half of the embedded chain would be compiled again.
pub(crate) fn program<S: AsRef<OsStr>>(name: &str, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(name);
    command.args(args).current_dir(paths::root());
    let told = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(told) {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs to the end; an unsuccessful exit is an error that shows the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs to the end and returns what it printed, or `None` where it cannot be started or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    format!("`{}`", words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
}
