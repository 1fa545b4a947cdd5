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
    /// Others may write it, so nobody knows whose key it is.
    #[error("others can write the key file {} (its mode is {mode:03o}): check that the key is yours, then chmod 600 {}", path.display(), path.display())]
    Writable {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Something else than a file is there, such as a device.
    #[error("{} is not a file", .0.display())]
    NoFile(PathBuf),
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

/// Reads a key file that only its owner can write. Whether others can read it, [`readable_by_others`] says.
///
/// # Errors
/// [`KeyFileError::Missing`], [`KeyFileError::Malformed`], [`KeyFileError::Writable`] or [`KeyFileError::File`].
pub fn read(path: &Path) -> Result<Keypair, KeyFileError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyFileError::Missing(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(KeyFileError::Malformed(path.to_owned()));
        }
        Err(error) => return Err(refused("read the key file", path)(error)),
    };
    if let Some(mode) = mode(path).filter(|mode| mode & 0o022 != 0) {
        return Err(KeyFileError::Writable { path: path.to_owned(), mode });
    }
    let malformed = || KeyFileError::Malformed(path.to_owned());
    let bytes: Vec<u8> = serde_json::from_str(&text).map_err(|_| malformed())?;
    Keypair::try_from(bytes.as_slice()).map_err(|_| malformed())
}

/// A sentence for the owner of a key file that others can read, with what to do about it.
pub fn readable_by_others(path: &Path) -> Option<String> {
    let mode = mode(path).filter(|mode| mode & 0o044 != 0)?;
    let file = path.display();
    Some(format!(
        "others can read the key file {file} (its mode is {mode:03o}), and then spend what it owns: chmod 600 {file}"
    ))
}

/// A file's permissions, where the system has such.
#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| file.permissions().mode() & 0o777)
}

/// A file's permissions, where the system has such.
#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

/// Writes a new key file with mode 0600, refusing to overwrite one unless `force`.
///
/// # Errors
/// [`KeyFileError::Exists`]; [`KeyFileError::NoFile`] when something else than a file is there, forced or not; or
/// [`KeyFileError::File`] when its folder cannot be written.
pub fn write(path: &Path, key: &Keypair, force: bool) -> Result<(), KeyFileError> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(KeyFileError::NoFile(path.to_owned()));
    }
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn n20_a_key_that_others_can_write_is_refused_and_one_that_they_can_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("id.json"), Keypair::new());
        write(&path, &key, false).unwrap();
        assert_eq!(read(&path).unwrap().pubkey(), key.pubkey());
        assert_eq!(readable_by_others(&path), None);
        for mode in [0o620, 0o602, 0o666, 0o777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read(&path).unwrap_err();
            assert!(matches!(&error, KeyFileError::Writable { .. }), "{error}");
            assert!(
                error.to_string().contains(&format!("{mode:o}")) && error.to_string().contains("chmod 600"),
                "{error}"
            );
        }
        for mode in [0o644, 0o640, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path).unwrap().pubkey(), key.pubkey());
            assert!(readable_by_others(&path).unwrap().contains("chmod 600"));
        }
    }

    #[test]
    fn n19_a_key_never_takes_a_devices_place() {
        let folder = tempfile::tempdir().unwrap();
        // A folder stands for what is no file; devices need rights that a test may not have.
        let error = write(folder.path(), &Keypair::new(), true).unwrap_err();
        assert!(matches!(error, KeyFileError::NoFile(_)), "{error}");
        let error = write(Path::new("/dev/null"), &Keypair::new(), true).unwrap_err();
        assert!(matches!(error, KeyFileError::NoFile(_)), "{error}");
        use std::os::unix::fs::FileTypeExt as _;
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }
}
