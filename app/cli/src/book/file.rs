//! The book's file: read whole, written whole, by one program at a time.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::entry::Entry;

/// The most names that are kept; the oldest go first.
const MOST: usize = 10_000;

/// Every entry, of all chains; a file that is not there has none.
///
/// # Errors
/// It cannot be read, or is no address book, in words.
pub(super) fn read(file: &Path) -> Result<Vec<Entry>, String> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("the address book {} cannot be read: {error}", file.display())),
    };
    serde_json::from_str(&text)
        .map_err(|error| format!("{} is no address book ({error}); mend it or move it away", file.display()))
}

/// Reads, changes and writes the file, while other programs wait; a cut-off writing leaves the old one.
///
/// # Errors
/// It cannot be read or written, in words.
pub(super) fn change<T>(file: &Path, change: impl FnOnce(&mut Vec<Entry>) -> T) -> Result<T, String> {
    let refused = |error: io::Error| format!("the address book {} cannot be written: {error}", file.display());
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(refused)?;
    let lock = File::create(file.with_extension("lock")).map_err(refused)?;
    lock.lock().map_err(refused)?;
    let mut entries = read(file)?;
    let before = entries.clone();
    let outcome = change(&mut entries);
    if entries != before {
        let surplus = entries.len().saturating_sub(MOST);
        let text = serde_json::to_string_pretty(&entries[surplus..]).unwrap_or_default();
        let mut written = tempfile::NamedTempFile::new_in(folder).map_err(refused)?;
        written.write_all(text.as_bytes()).map_err(refused)?;
        written.persist(file).map_err(|error| refused(error.error))?;
    }
    Ok(outcome)
}
