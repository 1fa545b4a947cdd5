//! An artifact whose quality is not known yet is not left behind.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// A file beside the artifact's place, which is removed unless it is chosen.
pub(super) struct Candidate {
    path: PathBuf,
    kept: bool,
}

impl Candidate {
    /// Where a variant of the artifact at `out` is written, of whose variants no other is called so.
    pub(super) fn new(out: &Path, variant: &str) -> Self {
        let mut path = out.as_os_str().to_owned();
        path.push(format!(".{}.{variant}", std::process::id()));
        Self { path: path.into(), kept: false }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it the artifact.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be moved.
    pub(super) fn keep(mut self, out: &Path) -> Result<(), Error> {
        std::fs::rename(&self.path, out).map_err(Error::write(out))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        if !self.kept {
            // It may not have been finished.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
