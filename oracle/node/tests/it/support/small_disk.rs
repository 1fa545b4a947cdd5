//! A disk of a few megabytes, in memory, that can be filled.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set to leave out what needs a small disk, on machines where nobody may mount one.
pub(crate) const SKIP: &str = "PROVENA_TEST_WITHOUT_MOUNTS";

/// Whether the tests are told to go without.
pub(crate) fn without_mounts() -> bool {
    let told = std::env::var_os(SKIP).is_some();
    if told {
        eprintln!("left out: {SKIP} is set");
    }
    told
}

/// A mounted disk; dropping it unmounts it.
pub(crate) struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// One of `bytes`; `None` only when the tests are told to go without.
    ///
    /// # Panics
    /// When it cannot be mounted, saying what to do.
    pub(crate) fn mount(bytes: u64) -> Option<Self> {
        if without_mounts() {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "small"])
            .arg(folder.path())
            .status();
        let mounted = mount.is_ok_and(|status| status.success());
        assert!(mounted, "a small disk cannot be mounted: run the tests as root, or set {SKIP}=1 to leave them out");
        Some(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.filler()).expect("the disk is there");
        for len in [1 << 20, 4_096] {
            let piece = vec![7; len];
            loop {
                match file.write(&piece) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    /// Gives the room back.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.filler()).expect("it was filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: something may still hold a file of it.
        drop(Command::new("umount").arg("-l").arg(self.folder.path()).status());
    }
}
