//! The keypair file that the official tool leaves beside a program without one.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result, anyhow};
use ed25519_dalek::SigningKey;

/// Makes a new keypair at `path` unless a file is there; an existing one is never touched.
pub(crate) fn ensure(path: &Path) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
    };
    let mut secret = [0u8; 32];
    getrandom::fill(&mut secret).map_err(|error| anyhow!("the system gives no random bytes: {error}"))?;
    let key = SigningKey::from_bytes(&secret);
    file.write_all(serde_json::to_string(&key.to_keypair_bytes().as_slice())?.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}
