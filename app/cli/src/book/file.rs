//! The book's file: read whole, written whole, by one program at a time.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::{chains::Seen, entry::Entry};

/// The most names that are kept; the oldest go first.
const MOST: usize = 10_000;

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    /// Chains that answered; of those at one address the latest is the last.
    #[serde(default)]
    pub chains: Vec<Seen>,
    /// Names of all chains, the oldest first.
    pub names: Vec<Entry>,
}

/// What the file holds; a file that is not there holds nothing.
///
/// # Errors
/// It cannot be read, or is no address book, in words.
pub(super) fn read(file: &Path) -> Result<Content, String> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::default()),
        Err(error) => return Err(format!("the address book {} cannot be read: {error}", file.display())),
    };
    // Earlier versions wrote the names alone.
    let content = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(&text).map(|names| Content { chains: Vec::new(), names }),
        false => serde_json::from_str(&text),
    };
    content.map_err(|error| format!("{} is no address book ({error}); mend it or move it away", file.display()))
}

/// Reads, changes and writes the file, while other programs wait; a cut-off writing leaves the old one.
///
/// # Errors
/// It cannot be read or written, in words.
pub(super) fn change<T>(file: &Path, change: impl FnOnce(&mut Content) -> T) -> Result<T, String> {
    let refused = |error: io::Error| format!("the address book {} cannot be written: {error}", file.display());
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(refused)?;
    let lock = File::create(file.with_extension("lock")).map_err(refused)?;
    lock.lock().map_err(refused)?;
    let mut content = read(file)?;
    let before = content.clone();
    let outcome = change(&mut content);
    if content != before {
        let surplus = content.names.len().saturating_sub(MOST);
        content.names.drain(..surplus);
        let text = serde_json::to_string_pretty(&content).unwrap_or_default();
        let mut written = tempfile::NamedTempFile::new_in(folder).map_err(refused)?;
        written.write_all(text.as_bytes()).map_err(refused)?;
        written.persist(file).map_err(|error| refused(error.error))?;
    }
    Ok(outcome)
}
