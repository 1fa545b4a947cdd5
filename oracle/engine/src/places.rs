//! Where `cargo xtask` leaves on this machine what it fetched and built.

use std::{env, path::PathBuf};

/// The user's cache folder for Provena: below `XDG_CACHE_HOME`, else `~/.cache`. `None` where there is no home.
pub fn cache() -> Option<PathBuf> {
    let base = set("XDG_CACHE_HOME").or_else(|| Some(env::home_dir()?.join(".cache")))?;
    Some(base.join("provena"))
}

/// The folder of the published models and data that were fetched: `PROVENA_ASSETS`, else in [`cache`].
pub fn assets() -> Option<PathBuf> {
    set("PROVENA_ASSETS").or_else(|| Some(cache()?.join("assets")))
}

/// A variable that holds something.
fn set(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
