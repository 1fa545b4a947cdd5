//! Finds what the build needs inside the installed Rust toolchain.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

/// The variable in which the dynamic loader, and the LLVM proxy, look for libraries.
const LIBRARY_PATH: &str = if cfg!(target_os = "macos") { "DYLD_FALLBACK_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };

/// An installed Rust toolchain.
#[derive(Clone, Debug)]
pub struct Toolchain {
    sysroot: PathBuf,
}

impl Toolchain {
    /// The toolchain that `rustc` means when run in `dir` (rustup picks it by folder).
    ///
    /// # Errors
    /// When `rustc` cannot be run, fails, or names a folder that is no UTF-8.
    pub fn find(dir: &Path) -> Result<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(&rustc)
            .args(["--print", "sysroot"])
            .current_dir(dir)
            .output()
            .with_context(|| format!("cannot run {}: install Rust from https://rustup.rs", rustc.display()))?;
        ensure!(
            output.status.success(),
            "`rustc --print sysroot` failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(Self { sysroot: PathBuf::from(String::from_utf8(output.stdout)?.trim_end()) })
    }

    /// Makes sure that the standard library's source is there to be built.
    ///
    /// # Errors
    /// Says what to install where it is not.
    pub fn require_rust_src(&self) -> Result<()> {
        let lock = self.sysroot.join("lib/rustlib/src/rust/library/Cargo.lock");
        if !lock.is_file() {
            bail!(
                "the standard library's source is missing ({} does not exist)\nrun: rustup component add rust-src",
                lock.display()
            );
        }
        Ok(())
    }

    /// Gives `command` the variable through which it finds the LLVM inside rustc.
    pub(crate) fn provide_llvm(&self, command: &mut Command) -> Result<()> {
        let mut dirs = vec![self.sysroot.join("lib")];
        if let Some(existing) = env::var_os(LIBRARY_PATH) {
            dirs.extend(env::split_paths(&existing).filter(|dir| dir.is_dir()));
        }
        let value: OsString = env::join_paths(dirs).context("the toolchain's path cannot stand in a search path")?;
        command.env(LIBRARY_PATH, value);
        Ok(())
    }
}

/// Whether this process will find an LLVM library where the proxy looks for one.
pub(crate) fn llvm_is_reachable() -> bool {
    let Some(paths) = env::var_os(LIBRARY_PATH) else { return false };
    env::split_paths(&paths)
        .filter_map(|dir| dir.read_dir().ok())
        .flatten()
        .flatten()
        .any(|file| file.file_name().to_str().is_some_and(|name| name.starts_with("libLLVM")))
}
