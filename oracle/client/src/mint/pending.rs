//! The key of an NFT whose minting is under way.

use std::path::PathBuf;

use solana_keypair::Keypair;

use crate::keys::{self, KeyFileError};

/// Where the keys of unfinished mintings are kept.
pub struct Pending {
    folder: PathBuf,
    file: std::cell::OnceCell<PathBuf>,
    key: std::cell::OnceCell<Keypair>,
}

impl Pending {
    /// Keeps keys in `folder`.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, file: std::cell::OnceCell::new(), key: std::cell::OnceCell::new() }
    }

    /// The key for this content: the one of an interrupted minting, or a fresh one.
    ///
    /// # Errors
    /// Its file cannot be read or written.
    pub fn key(&self, content_root: &[u8; 32]) -> Result<&Keypair, KeyFileError> {
        let file = self.file.get_or_init(|| self.folder.join(format!("{}.json", hex::encode(content_root))));
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = if file.exists() {
            keys::read(file)?
        } else {
            let fresh = Keypair::new();
            keys::write(file, &fresh, false)?;
            fresh
        };
        Ok(self.key.get_or_init(|| key))
    }

    /// Forgets the key: the NFT exists and never needs it again.
    ///
    /// # Errors
    /// Its file cannot be removed.
    pub fn done(self) -> Result<(), KeyFileError> {
        let Some(file) = self.file.get() else { return Ok(()) };
        let refused = |source| KeyFileError::File { action: "remove the key file", path: file.clone(), source };
        std::fs::remove_file(file).map_err(refused)
    }
}
