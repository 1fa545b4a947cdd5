//! Files that a command writes: beside their place first, so that they are there whole or not at all; never over a file
//! that is there, unless the person says so; and never in the place of a device or of what the command reads.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::failure::Failure;

/// A place for a file.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    force: bool,
}

impl NewFile {
    /// Checks that a file may be written there; `force` allows to replace one. Call it before anything is paid or
    /// computed, and [`NewFile::write`] in the end.
    ///
    /// # Errors
    /// A file is there and `force` is not, or something else than a file.
    pub(crate) fn at(path: &Path, force: bool) -> Result<Self> {
        let shown = path.display();
        let there = match fs::metadata(path) {
            Ok(there) => Some(there),
            // A link to nowhere is there, too.
            Err(_) => fs::symlink_metadata(path).ok(),
        };
        match there {
            None => {}
            Some(there) if there.is_dir() => {
                return Err(Failure::usage(format!("{shown} is a folder; name a file in it")).into());
            }
            Some(there) if !there.is_file() => {
                return Err(Failure::usage(format!("{shown} is not a regular file, and is not replaced")).into());
            }
            Some(_) if !force => {
                return Err(Failure::usage(format!("{shown} exists already"))
                    .hint("name another file, or replace this one with --force")
                    .into());
            }
            Some(_) => {}
        }
        Ok(Self { path: path.to_owned(), force })
    }

    /// Checks that the file is none of what the command reads: neither this file nor one in this folder.
    ///
    /// # Errors
    /// It is.
    pub(crate) fn apart_from(&self, source: &Path) -> Result<()> {
        // A file that is not there yet is nobody's source.
        let (Ok(own), Ok(source)) = (fs::canonicalize(&self.path), fs::canonicalize(source)) else { return Ok(()) };
        let inside = source.is_dir() && own.parent() == Some(&source) && self.is_weights();
        if own == source || inside || same_file(&own, &source) {
            let (path, source) = (self.path.display(), source.display());
            let wrong = Failure::usage(format!("{path} belongs to what is read from {source}, and is never replaced"));
            return Err(wrong.hint("name another file").into());
        }
        Ok(())
    }

    /// Whether a folder's file of this name may be a part of a published model.
    fn is_weights(&self) -> bool {
        let extension = self.path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        !extension.eq_ignore_ascii_case("pvna") && !self.path.to_string_lossy().contains(".card.")
    }

    /// Where it will be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder in which it will be.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Writes the file; folders that are missing are made.
    ///
    /// # Errors
    /// The system refuses, or somebody was faster.
    pub(crate) fn write(self, bytes: &[u8]) -> Result<()> {
        let refused = || format!("cannot write {}", self.path.display());
        fs::create_dir_all(self.folder()).with_context(refused)?;
        let mut temporary =
            tempfile::Builder::new().prefix(".provena-").tempfile_in(self.folder()).with_context(refused)?;
        temporary.write_all(bytes).and_then(|()| temporary.as_file().sync_all()).with_context(refused)?;
        readable(temporary.path()).with_context(refused)?;
        let temporary = temporary.into_temp_path();
        let put = if self.force { temporary.persist(&self.path) } else { temporary.persist_noclobber(&self.path) };
        put.map_err(|error| error.error).with_context(refused)
    }

    /// Moves a finished file here, from beside.
    ///
    /// # Errors
    /// The system refuses, or somebody was faster.
    pub(crate) fn take(self, finished: &Path) -> Result<()> {
        let refused = || format!("cannot write {}", self.path.display());
        if self.force {
            return fs::rename(finished, &self.path).with_context(refused);
        }
        // A second name takes nobody's place; where a file has one name only, a look must do.
        match fs::hard_link(finished, &self.path) {
            Ok(()) => fs::remove_file(finished).with_context(refused),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(error).with_context(refused),
            Err(_) => {
                Self::at(&self.path, false)?;
                fs::rename(finished, &self.path).with_context(refused)
            }
        }
    }
}

/// Gives a file the permissions of any new one: temporary files are their owner's alone.
#[cfg(unix)]
fn readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let probe = tempfile::Builder::new()
        .prefix(".provena-")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    fs::set_permissions(path, probe.as_file().metadata()?.permissions())
}

/// Gives a file the permissions of any new one.
#[cfg(not(unix))]
fn readable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Whether two paths are names of one file.
#[cfg(unix)]
fn same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let file = |path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    file(a).is_some_and(|a| file(b) == Some(a))
}

/// Whether two paths are names of one file.
#[cfg(not(unix))]
fn same_file(a: &Path, b: &Path) -> bool {
    a == b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n19_nothing_is_replaced_unless_the_person_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.json");
        NewFile::at(&path, false).unwrap().write(b"one").unwrap();
        assert!(NewFile::at(&path, false).unwrap_err().to_string().contains("exists already"));
        NewFile::at(&path, true).unwrap().write(b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn n19_who_was_faster_keeps_his_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, finished) = (folder.path().join("a"), folder.path().join("b"));
        let (first, second) = (NewFile::at(&path, false).unwrap(), NewFile::at(&path, false).unwrap());
        fs::write(&path, b"theirs").unwrap();
        fs::write(&finished, b"ours").unwrap();
        assert!(first.write(b"ours").is_err());
        assert!(second.take(&finished).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
    }

    #[test]
    fn n19_neither_a_device_nor_a_folder_nor_the_source_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(NewFile::at(folder.path(), true).unwrap_err().to_string().contains("is a folder"));
        let source = folder.path().join("model.gguf");
        fs::write(&source, b"weights").unwrap();
        let error = NewFile::at(&source, true).unwrap().apart_from(&source).unwrap_err();
        assert!(error.to_string().contains("never replaced"), "{error}");
        let error = NewFile::at(&source, true).unwrap().apart_from(folder.path()).unwrap_err();
        assert!(error.to_string().contains("never replaced"), "{error}");
        #[cfg(unix)]
        {
            let error = NewFile::at(Path::new("/dev/null"), true).unwrap_err();
            assert!(error.to_string().contains("not a regular file"), "{error}");
            let link = folder.path().join("link");
            fs::hard_link(&source, &link).unwrap();
            assert!(NewFile::at(&link, true).unwrap().apart_from(&source).is_err());
        }
    }
}
