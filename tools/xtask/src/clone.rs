//! Several clones may share one target folder. Cargo names what it builds of a workspace by the paths within it, and takes
//! what another clone built for this one's where the sources here are older. So the clone that built last is noted, and what
//! another one built of our own crates is forgotten; what does not depend on the clone stays.

use crate::paths;
use anyhow::{Context, Result};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Names of our crates begin so.
const OURS: [&str; 2] = ["provena-", "xtask-"];

/// How deep below the target folder Cargo's fingerprints can be: program builds have a folder for the platform.
const DEPTH: usize = 4;

/// Makes the target folder this clone's.
pub(crate) fn claim() -> Result<()> {
    claim_for(&paths::target(), &paths::root())
}

fn claim_for(target: &Path, root: &Path) -> Result<()> {
    let note = target.join("clone.txt");
    let here = root.display().to_string();
    if fs::read_to_string(&note).is_ok_and(|last| last == here) {
        return Ok(());
    }
    for folder in fingerprints(target, DEPTH).context("cannot look through the target folder")? {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if OURS.iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
                let path = entry.path();
                fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
    }
    fs::create_dir_all(target).with_context(|| format!("cannot make {}", target.display()))?;
    fs::write(&note, here).with_context(|| format!("cannot write {}", note.display()))
}

/// Cargo's folders of fingerprints at most so deep below a folder.
fn fingerprints(folder: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if depth == 0 || !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_name().to_str() {
            Some(".fingerprint") => found.push(entry.path()),
            Some("deps" | "build" | "incremental" | "examples" | "doc" | "tmp") => {}
            _ if entry.file_type()?.is_dir() => found.extend(fingerprints(&entry.path(), depth - 1)?),
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn what_another_clone_built_of_our_crates_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let entry = |place: &str| target.join(place);
        let (ours, others) = (
            ["debug/.fingerprint/provena-market-1", "sbf/some-platform/sbf/.fingerprint/provena-royalty-2"],
            ["debug/.fingerprint/serde-3", "debug/deps/provena-market-1"],
        );
        let make = || ours.iter().chain(&others).for_each(|place| fs::create_dir_all(entry(place)).unwrap());
        let there = |places: [&str; 2]| places.map(|place| entry(place).is_dir());
        make();
        claim_for(&target, Path::new("/one")).unwrap();
        assert_eq!((there(ours), there(others)), ([false; 2], [true; 2]));
        make();
        claim_for(&target, Path::new("/one")).unwrap();
        assert_eq!(there(ours), [true; 2], "the same clone again");
        claim_for(&target, Path::new("/two")).unwrap();
        assert_eq!((there(ours), there(others)), ([false; 2], [true; 2]));
    }

    #[test]
    fn a_target_folder_that_does_not_exist_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("no/such/folder");
        claim_for(&target, Path::new("/one")).unwrap();
        assert_eq!(fs::read_to_string(target.join("clone.txt")).unwrap(), "/one");
    }
}
