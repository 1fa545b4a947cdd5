//! Mintings under way: the secrets without which one that was interrupted could not go on.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;

use super::{MintError, error::unread};
use crate::{
    chain::Chain,
    keys::{KeyFileError, refused, write_new},
    share::Share,
};

/// Where the secrets of unfinished mintings are kept, one file for each content.
#[derive(Clone, Debug)]
pub struct Pending {
    folder: PathBuf,
}

/// A minting under way.
pub struct Unfinished {
    /// The wallet that began it, which alone can go on.
    pub wallet: Pubkey,
    /// Genesis hash of the chain that it is on.
    pub chain: [u8; 32],
    /// Content root of what is minted.
    pub content_root: [u8; 32],
    /// Key of the NFT's mint.
    pub key: Keypair,
    /// Secret of the content claim.
    pub salt: [u8; 32],
    /// What it is called; empty where that is not known.
    pub title: String,
    /// Who shares the revenue, parents' pools included; empty where that is not known.
    pub shares: Vec<Share>,
    file: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Secrets {
    /// Base58.
    wallet: String,
    /// The genesis hash in base58.
    chain: String,
    /// Lower-case hex.
    content_root: String,
    /// The key's 64 bytes, as in a key file.
    key: Vec<u8>,
    /// Lower-case hex.
    salt: String,
    /// For the person who looks at what was interrupted.
    #[serde(default)]
    title: String,
    /// Addresses in base58, with their shares.
    #[serde(default)]
    shares: Vec<(String, u64)>,
}

/// Digits of the content root by which its file is named.
const NAME_DIGITS: usize = 16;

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
        if !file.exists() {
            return Ok(None);
        }
        let found = Unfinished::read(file)?;
        Ok((found.content_root == *content_root).then_some(found))
    }

    /// Begins a minting of this content by `wallet`: fresh secrets, kept before anything is sent.
    ///
    /// # Errors
    /// Its file cannot be written.
    pub fn begin(
        &self,
        wallet: &Pubkey,
        chain: &[u8; 32],
        content_root: &[u8; 32],
        title: &str,
        shares: &[Share],
    ) -> Result<Unfinished, KeyFileError> {
        fs::create_dir_all(&self.folder).map_err(refused("make the folder", &self.folder))?;
        let file = self.file(content_root);
        let (key, salt) = (Keypair::new(), *Keypair::new().secret_bytes());
        let secrets = Secrets {
            content_root: hex::encode(content_root),
            wallet: wallet.to_string(),
            chain: Pubkey::new_from_array(*chain).to_string(),
            key: key.to_bytes().to_vec(),
            salt: hex::encode(salt),
            title: title.to_owned(),
            shares: shares.iter().map(|share| (share.address.to_string(), share.shares)).collect(),
        };
        let text = serde_json::to_string(&secrets).unwrap_or_default();
        write_new(&file, &text)?;
        let (title, shares) = (title.to_owned(), shares.to_vec());
        Ok(Unfinished { wallet: *wallet, chain: *chain, content_root: *content_root, key, salt, title, shares, file })
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
        let mut files: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|file| is_ours(file)).collect();
        files.sort_unstable();
        files.into_iter().map(Unfinished::read).collect()
    }

    fn file(&self, content_root: &[u8; 32]) -> PathBuf {
        let name = hex::encode(content_root);
        self.folder.join(format!("{}.json", &name[..NAME_DIGITS]))
    }
}

fn is_ours(file: &Path) -> bool {
    let stem = file.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
    stem.is_some_and(|stem| stem.len() == NAME_DIGITS && stem.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl Unfinished {
    fn read(file: PathBuf) -> Result<Self, KeyFileError> {
        let text = fs::read_to_string(&file).map_err(refused("read the key file", &file))?;
        let secrets: Option<Secrets> = serde_json::from_str(&text).ok();
        let parts = secrets.and_then(|secrets| {
            let root = |text: &str| hex::decode(text).ok()?.try_into().ok();
            let key = Keypair::try_from(secrets.key.as_slice()).ok()?;
            let share =
                |(address, shares): &(String, u64)| Some(Share { address: address.parse().ok()?, shares: *shares });
            let shares = secrets.shares.iter().map(share).collect::<Option<Vec<_>>>()?;
            let told = (secrets.title.clone(), shares);
            let owner: Pubkey = secrets.wallet.parse().ok()?;
            let chain: Pubkey = secrets.chain.parse().ok()?;
            Some((owner, chain.to_bytes(), root(&secrets.content_root)?, key, root(&secrets.salt)?, told))
        });
        match parts {
            Some((wallet, chain, content_root, key, salt, (title, shares))) => {
                Ok(Self { wallet, chain, content_root, key, salt, title, shares, file })
            }
            None => Err(KeyFileError::Malformed(file)),
        }
    }

    /// Checks that `wallet` began it.
    pub(super) fn check_wallet(&self, wallet: &Pubkey) -> Result<(), MintError> {
        if self.wallet == *wallet {
            return Ok(());
        }
        Err(MintError::OtherWallet { wallet: self.wallet, file: self.file.clone() })
    }

    /// Checks that it is on this chain. On another one nothing of it exists, and its secrets would be lost there.
    pub(super) async fn check_chain(&self, chain: &dyn Chain) -> Result<(), MintError> {
        let here = chain.cluster().await.map_err(unread("the chain's genesis"))?;
        if here == self.chain {
            return Ok(());
        }
        Err(MintError::OtherChain { genesis: Pubkey::new_from_array(self.chain), file: self.file.clone() })
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
        let wallet = Pubkey::new_from_array([3; 32]);
        let shares = [Share { address: Pubkey::new_from_array([4; 32]), shares: 5 }];
        let begun = pending.begin(&wallet, &[1; 32], &[7; 32], "Digits", &shares).unwrap();
        assert!(
            pending.begin(&wallet, &[1; 32], &[7; 32], "Digits", &shares).is_err(),
            "nothing under way is overwritten"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(begun.file()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(folder.path().join("pending/notes.txt"), "not ours").unwrap();
        let [found] = pending.list().unwrap().try_into().ok().unwrap();
        assert_eq!((found.key.pubkey(), found.salt, found.content_root), (begun.key.pubkey(), begun.salt, [7; 32]));
        assert_eq!((found.wallet, found.chain), (wallet, [1; 32]));
        assert_eq!((found.title.as_str(), found.shares.as_slice()), ("Digits", &shares[..]));
        found.forget().unwrap();
        assert!(pending.find(&[7; 32]).unwrap().is_none());
    }

    #[test]
    fn a_broken_file_is_named_and_its_content_is_not() {
        let folder = TempDir::new().unwrap();
        let pending = Pending::new(folder.path().to_owned());
        fs::write(pending.file(&[1; 32]), "{\"key\": [1, 2, 3], \"salt\": \"00\"}").unwrap();
        let message = pending.find(&[1; 32]).err().unwrap().to_string();
        assert!(message.contains("0101010101010101.json") && !message.contains("1, 2"), "{message}");
    }
}
