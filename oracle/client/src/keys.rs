//! Key files: Solana's JSON array of 64 bytes, readable by their owner only.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use solana_keypair::Keypair;
use solana_signer::Signer;

/// Why a key file cannot be read or written. No message repeats a file's contents.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is none.
    #[error("there is no key file at {}", .0.display())]
    Missing(PathBuf),
    /// It is not a JSON array of 64 numbers that are a key.
    #[error("{} is not a key file", .0.display())]
    Malformed(PathBuf),
    /// There is one already.
    #[error("{} exists already and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// The system refuses.
    #[error("cannot {action} {}", path.display())]
    File {
        /// "read the key file", "write", "replace", "make the folder" or "remove the key file".
        action: &'static str,
        /// Which file or folder.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
}

/// Reads a key file.
///
/// # Errors
/// [`KeyFileError::Missing`], [`KeyFileError::Malformed`] or [`KeyFileError::File`].
pub fn read(path: &Path) -> Result<Keypair, KeyFileError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyFileError::Missing(path.to_owned())),
        Err(error) => return Err(refused("read the key file", path)(error)),
    };
    let malformed = || KeyFileError::Malformed(path.to_owned());
    let bytes: Vec<u8> = serde_json::from_str(&text).map_err(|_| malformed())?;
    Keypair::try_from(bytes.as_slice()).map_err(|_| malformed())
}

/// Writes a new key file with mode 0600, refusing to overwrite one unless `force`.
///
/// # Errors
/// [`KeyFileError::Exists`], or [`KeyFileError::File`] when its folder cannot be written.
pub fn write(path: &Path, key: &Keypair, force: bool) -> Result<(), KeyFileError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(refused("make the folder", folder))?;
    }
    if force {
        // Written next to the old file and renamed, so that a failure cannot leave half a key.
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", key.pubkey()));
        let temporary = Path::new(&name);
        create(temporary, key)?;
        return fs::rename(temporary, path).map_err(refused("replace", path));
    }
    create(path, key)
}

fn create(path: &Path, key: &Keypair) -> Result<(), KeyFileError> {
    write_new(path, &serde_json::json!(key.to_bytes().as_slice()).to_string())
}

/// Writes a new file with mode 0600 that only its owner can read.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), KeyFileError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyFileError::Exists(path.to_owned()));
        }
        Err(error) => return Err(refused("write", path)(error)),
    };
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(refused("write", path))
}

pub(crate) fn refused(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyFileError {
    let path = path.to_owned();
    move |source| KeyFileError::File { action, path, source }
}
