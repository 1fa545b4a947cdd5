//! Where an import writes before it is whole: a folder beside the artifact's place, that goes with it in the end.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use provena_engine::import::ImportReport;
use tempfile::TempDir;

use crate::output::{Output, file::NewFile};

/// A file in the folder that is locked as long as somebody works there.
const LOCK: &str = "lock";

/// Where the artifact and its two cards go.
pub(super) struct Places([NewFile; 3]);

impl Places {
    /// Checks that all three may be written, and are nothing that is read.
    ///
    /// # Errors
    /// Which one may not.
    pub(super) fn new(out: &Path, source: &Path, calibration: Option<&Path>, force: bool) -> Result<Self> {
        let place = |path: PathBuf| -> Result<NewFile> {
            let place = NewFile::at(&path, force)?;
            [Some(source), calibration].into_iter().flatten().try_for_each(|read| place.apart_from(read))?;
            Ok(place)
        };
        let [artifact, card, figures] = names(out);
        Ok(Self([place(artifact)?, place(card)?, place(figures)?]))
    }

    /// Moves what an import made to its places, the artifact last: where it is, its cards are. The report names the
    /// places.
    ///
    /// # Errors
    /// The system refuses, or somebody was faster.
    pub(super) fn take(self, report: &mut ImportReport) -> Result<()> {
        let [artifact, card, figures] = self.0;
        let made = names(&report.artifact);
        (report.artifact, report.card) = (artifact.path().to_owned(), card.path().to_owned());
        card.take(&made[1])?;
        figures.take(&made[2])?;
        artifact.take(&made[0])
    }
}

/// An artifact, its card for people and its card for programs.
fn names(artifact: &Path) -> [PathBuf; 3] {
    [artifact.to_owned(), artifact.with_extension("card.md"), artifact.with_extension("card.json")]
}

/// A folder beside the artifact's place. It is removed when it is dropped.
pub(super) struct Workplace {
    folder: TempDir,
    /// Folders that were made for it, outermost first; they stay where something is in them.
    made: Vec<PathBuf>,
    name: PathBuf,
    _lock: File,
}

impl Workplace {
    /// Makes the folder, and removes those of imports that were killed.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn new(out: &Path, output: &Output) -> Result<Self> {
        let beside = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let refused = || format!("nothing can be written beside {}", out.display());
        let missing = beside.ancestors().filter(|folder| !folder.as_os_str().is_empty());
        let mut made: Vec<PathBuf> = missing.take_while(|folder| !folder.exists()).map(Into::into).collect();
        made.reverse();
        fs::create_dir_all(beside).with_context(refused)?;
        let name = out.file_name().with_context(|| format!("{} names no file", out.display()))?;
        let prefix = format!(".{}.importing-", name.to_string_lossy());
        for left in left_behind(beside, &prefix) {
            fs::remove_dir_all(&left).with_context(|| format!("cannot remove {}", left.display()))?;
            output.note(&format!("removed what an import that was killed had left: {}", left.display()));
        }
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(beside).with_context(refused)?;
        let lock = File::create(folder.path().join(LOCK)).with_context(refused)?;
        lock.lock().with_context(refused)?;
        Ok(Self { folder, made, name: name.into(), _lock: lock })
    }

    /// Where the artifact is written.
    pub(super) fn artifact(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// Removes the folder with all that is in it.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn remove(self) -> Result<()> {
        let path = self.folder.path().to_owned();
        let Self { folder, made, .. } = self;
        folder.close().with_context(|| format!("cannot remove {}", path.display()))?;
        // Those in which the artifact is now stay.
        made.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
        Ok(())
    }
}

/// Folders of this prefix in which nobody works.
fn left_behind(beside: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(beside).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    let abandoned = |folder: &PathBuf| {
        // Without a lock it is not ours, or its owner is just about to lock it.
        File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
    };
    named.map(|entry| entry.path()).filter(|path| path.is_dir()).filter(abandoned).collect()
}
