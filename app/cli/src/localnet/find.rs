//! Where the embedded chain's binary and the programs' bytecode are.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Result;
use provena_engine::places;

use crate::failure::Failure;

const BINARY: &str = "provena-localnet";
const METADATA: &str = "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s";

/// The embedded chain's binary: `PROVENA_LOCALNET`, next to this program, or where `cargo xtask build` puts it.
///
/// # Errors
/// It is nowhere; the error says how to build it.
pub(super) fn binary() -> Result<PathBuf> {
    if let Some(named) = env::var_os("PROVENA_LOCALNET").filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        if named.is_file() {
            return Ok(named);
        }
        return Err(Failure::failed(format!("PROVENA_LOCALNET names {}, which does not exist", named.display()))
            .hint("cargo xtask build   (and unset PROVENA_LOCALNET)")
            .into());
    }
    candidates().into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Failure::failed(format!("the embedded chain ({BINARY}) is not built"))
            .hint("cargo xtask build   (or set PROVENA_LOCALNET to the binary)")
            .into()
    })
}

fn candidates() -> Vec<PathBuf> {
    let name = format!("{BINARY}{}", env::consts::EXE_SUFFIX);
    let mut found = Vec::new();
    if let Some(folder) = env::current_exe().ok().as_deref().and_then(Path::parent) {
        found.push(folder.join(&name));
        // target/debug/provena -> target/localnet/debug/provena-localnet
        if let (Some(profile), Some(target)) = (folder.file_name(), folder.parent()) {
            found.push(target.join("localnet").join(profile).join(&name));
        }
    }
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let cache = places::cache().map(|cache| cache.join("target"));
    for target in [target, cache].into_iter().flatten() {
        for profile in ["release", "debug"] {
            found.push(target.join("localnet").join(profile).join(&name));
        }
    }
    found
}

/// The programs that the embedded chain loads: address and `.so` file of Provena's three and of Token Metadata.
///
/// # Errors
/// One is missing; the error names it and says how to build it.
pub(super) fn programs(folder: Option<&Path>) -> Result<Vec<(String, PathBuf)>> {
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => deploy_folder()?,
    };
    let wanted = [
        (provena_registry::ID.to_string(), "provena_registry.so"),
        (provena_royalty::ID.to_string(), "provena_royalty.so"),
        (provena_market::ID.to_string(), "provena_market.so"),
        (METADATA.to_owned(), "token_metadata.so"),
    ];
    wanted
        .into_iter()
        .map(|(id, name)| {
            let file = folder.join(name);
            if file.is_file() { Ok((id, file)) } else { Err(not_built(&file)) }
        })
        .collect()
}

/// `PROVENA_PROGRAMS`, else the nearest `target/deploy` above the working directory, else this source tree's.
///
/// # Errors
/// The programs are nowhere; the error says how to build them.
pub(crate) fn deploy_folder() -> Result<PathBuf> {
    if let Some(named) = env::var_os("PROVENA_PROGRAMS").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    let here = env::current_dir()?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .chain(source.ancestors())
        .map(|folder| folder.join("target/deploy"))
        .find(|folder| folder.join("provena_market.so").is_file())
        .ok_or_else(|| not_built(Path::new("target/deploy/provena_market.so")))
}

fn not_built(file: &Path) -> anyhow::Error {
    Failure::failed(format!("the program {} is not built", file.display()))
        .hint("cargo xtask build   (or name the programs' folder with PROVENA_PROGRAMS)")
        .into()
}
