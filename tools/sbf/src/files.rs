//! Files that several builds may write at the same time.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result};

/// Replaces `path` in one step, so that a reader sees the old file or the new one and never a part.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().context("a file has a parent folder")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    let name = path.file_name().context("a file has a name")?;
    let temporary = parent.join(format!(".{}.{}.tmp", name.display(), process::id()));
    fs::write(&temporary, bytes).with_context(|| format!("cannot write {}", temporary.display()))?;
    fs::rename(&temporary, path).with_context(|| format!("cannot replace {}", path.display()))
}

/// As [`write_atomically`], but leaves a file alone that already holds `bytes`, so that its time stays.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    match fs::read(path) {
        Ok(existing) if existing == bytes => Ok(()),
        Ok(_) => write_atomically(path, bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => write_atomically(path, bytes),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Waits until no other process holds the lock at `path`; it is given back when the file is dropped.
pub(crate) fn lock(path: &Path) -> Result<fs::File> {
    let parent = path.parent().context("a file has a parent folder")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    let file = fs::File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Gives `executable` a name in `dir` that stays the same wherever the tool itself lies: the name becomes part
/// of the target, and with another target cargo would build everything again.
pub(crate) fn alias(executable: &Path, dir: &Path) -> Result<PathBuf> {
    let dir = dir.canonicalize().with_context(|| format!("{} does not exist", dir.display()))?;
    let path = dir.join(format!("sbf-linker{}", std::env::consts::EXE_SUFFIX));
    #[cfg(unix)]
    {
        if fs::read_link(&path).is_ok_and(|known| known == executable) {
            return Ok(path);
        }
        let temporary = dir.join(format!(".sbf-linker.{}.tmp", process::id()));
        std::os::unix::fs::symlink(executable, &temporary)
            .with_context(|| format!("cannot write {}", temporary.display()))?;
        fs::rename(&temporary, &path).with_context(|| format!("cannot replace {}", path.display()))?;
    }
    #[cfg(not(unix))]
    fs::copy(executable, &path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
