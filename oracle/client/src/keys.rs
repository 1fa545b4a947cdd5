//! Key files: Solana's JSON array of 64 bytes, readable by their owner only.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::{Context as _, Result};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::failure::Failure;

/// Reads a key file.
///
/// # Errors
/// Says how to make a key file when there is none, and never repeats a file's contents.
pub fn read(path: &Path) -> Result<Keypair> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::failed(format!("there is no key file at {}", path.display()))
                .hint(format!("provena keygen --out {}   (or name another file with --keypair)", path.display()))
                .into());
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read the key file {}", path.display())),
    };
    let broken = || {
        Failure::failed(format!("{} is not a key file", path.display()))
            .hint("a key file is a JSON array of 64 numbers, as `provena keygen` and `solana-keygen` write it")
    };
    let bytes: Vec<u8> = serde_json::from_str(&text).map_err(|_| broken())?;
    Ok(Keypair::try_from(bytes.as_slice()).map_err(|_| broken())?)
}

/// Writes a new key file with mode 0600, refusing to overwrite one unless `force`.
///
/// # Errors
/// The file exists, or its folder cannot be written.
pub fn write(path: &Path, key: &Keypair, force: bool) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    if force {
        // Written next to the old file and renamed, so that a failure cannot leave half a key.
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", key.pubkey()));
        let temporary = Path::new(&name);
        create(temporary, key)?;
        return fs::rename(temporary, path).with_context(|| format!("cannot replace {}", path.display()));
    }
    create(path, key)
}

fn create(path: &Path, key: &Keypair) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Failure::failed(format!("{} exists already and is not overwritten", path.display()))
                .hint("choose another --out, or pass --force to replace it (what the old key owns is then lost)")
                .into());
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
    };
    let json = serde_json::to_string(&key.to_bytes().as_slice())?;
    file.write_all(json.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", path.display()))
}
