//! Mintings under way: the secrets without which one that was interrupted could not go on.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use solana_keypair::Keypair;

use crate::keys::{KeyFileError, refused, write_new};

/// Where the secrets of unfinished mintings are kept, one file for each content.
#[derive(Clone, Debug)]
pub struct Pending {
    folder: PathBuf,
}

/// A minting under way.
pub struct Unfinished {
    /// Content root of what is minted.
    pub content_root: [u8; 32],
    /// Key of the NFT's mint.
    pub key: Keypair,
    /// Secret of the content claim.
    pub salt: [u8; 32],
    file: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    /// The key's 64 bytes, as in a key file.
    key: Vec<u8>,
    /// Lower-case hex.
    salt: String,
}

impl Pending {
    /// Keeps secrets in `folder`.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The minting of this content that was interrupted, if one was.
    ///
    /// # Errors
    /// Its file cannot be read.
    pub fn find(&self, content_root: &[u8; 32]) -> Result<Option<Unfinished>, KeyFileError> {
        let file = self.file(content_root);
        match fs::read_to_string(&file) {
            Ok(text) => Unfinished::parse(*content_root, file, &text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused("read the key file", &file)(error)),
        }
    }

    /// Begins a minting of this content: fresh secrets, kept before anything is sent.
    ///
    /// # Errors
    /// Its file cannot be written.
    pub fn begin(&self, content_root: &[u8; 32]) -> Result<Unfinished, KeyFileError> {
        fs::create_dir_all(&self.folder).map_err(refused("make the folder", &self.folder))?;
        let file = self.file(content_root);
        let (key, salt) = (Keypair::new(), *Keypair::new().secret_bytes());
        let secrets = Secrets { key: key.to_bytes().to_vec(), salt: hex::encode(salt) };
        let text = serde_json::to_string(&secrets).unwrap_or_default();
        write_new(&file, &text)?;
        Ok(Unfinished { content_root: *content_root, key, salt, file })
    }

    /// Every minting that was interrupted, in the order of their content roots.
    ///
    /// # Errors
    /// The folder or a file cannot be read.
    pub fn list(&self) -> Result<Vec<Unfinished>, KeyFileError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(refused("read the folder", &self.folder)(error)),
        };
        let mut roots: Vec<[u8; 32]> = entries.flatten().filter_map(|entry| content_root(&entry.path())).collect();
        roots.sort_unstable();
        let found: Result<Vec<Option<Unfinished>>, KeyFileError> = roots.iter().map(|root| self.find(root)).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    fn file(&self, content_root: &[u8; 32]) -> PathBuf {
        self.folder.join(format!("{}.json", hex::encode(content_root)))
    }
}

/// The root that a file of ours is named by.
fn content_root(path: &Path) -> Option<[u8; 32]> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    hex::decode(name).ok()?.try_into().ok()
}

impl Unfinished {
    fn parse(content_root: [u8; 32], file: PathBuf, text: &str) -> Result<Self, KeyFileError> {
        let secrets: Option<Secrets> = serde_json::from_str(text).ok();
        let parts = secrets.and_then(|secrets| {
            let salt = hex::decode(secrets.salt).ok()?.try_into().ok()?;
            Some((Keypair::try_from(secrets.key.as_slice()).ok()?, salt))
        });
        match parts {
            Some((key, salt)) => Ok(Self { content_root, key, salt, file }),
            None => Err(KeyFileError::Malformed(file)),
        }
    }

    /// Where the secrets are kept.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Forgets the secrets: the asset exists, or everything was taken back.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(self) -> Result<(), KeyFileError> {
        fs::remove_file(&self.file).map_err(refused("remove the key file", &self.file))
    }
}

#[cfg(test)]
mod tests {
    use solana_signer::Signer;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn secrets_are_kept_until_they_are_forgotten() {
        let folder = TempDir::new().unwrap();
        let pending = Pending::new(folder.path().join("pending"));
        assert!(pending.list().unwrap().is_empty() && pending.find(&[7; 32]).unwrap().is_none());
        let begun = pending.begin(&[7; 32]).unwrap();
        assert!(pending.begin(&[7; 32]).is_err(), "nothing under way is overwritten");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(begun.file()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(folder.path().join("pending/notes.txt"), "not ours").unwrap();
        let [found] = pending.list().unwrap().try_into().ok().unwrap();
        assert_eq!((found.key.pubkey(), found.salt, found.content_root), (begun.key.pubkey(), begun.salt, [7; 32]));
        found.forget().unwrap();
        assert!(pending.find(&[7; 32]).unwrap().is_none());
    }

    #[test]
    fn a_broken_file_is_named_and_its_content_is_not() {
        let folder = TempDir::new().unwrap();
        let pending = Pending::new(folder.path().to_owned());
        fs::write(pending.file(&[1; 32]), "{\"key\": [1, 2, 3], \"salt\": \"00\"}").unwrap();
        let message = pending.find(&[1; 32]).err().unwrap().to_string();
        assert!(message.contains(&hex::encode([1; 32])) && !message.contains("1, 2"), "{message}");
    }
}
