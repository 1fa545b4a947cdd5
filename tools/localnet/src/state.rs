//! What must be put right when a chain is kept in a file and started again.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use solana_account::Account;
use solana_pubkey::Pubkey;
use surfpool_core::surfnet::svm::SurfnetSvm;

const NATIVE_LOADER: Pubkey = solana_pubkey::pubkey!("NativeLoader1111111111111111111111111111111");
const SYSVAR_OWNER: Pubkey = solana_pubkey::pubkey!("Sysvar1111111111111111111111111111111111111");
const TOKEN_PROGRAM: Pubkey = solana_pubkey::pubkey!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");

/// Rows of the chain's own table of `u64`s.
const LATEST_SLOT: &str = "latest_slot";
const GENESIS_TIME: &str = "provena_genesis_time";

/// Settings that surfpool reads from the environment only. Must run before any thread exists.
pub fn configure_before_threads() {
    // SAFETY: `main` calls this first, so no other thread reads or writes the environment.
    #[allow(unsafe_code)]
    unsafe {
        // Collecting drops every account from the virtual machine and trusts each path to read it back from the
        // file; airdrops do not. A local chain is small enough to stay whole.
        std::env::set_var("SURFPOOL_GARBAGE_COLLECTION_INTERVAL_SLOTS", u64::MAX.to_string());
        // A kill loses at most this many slots of time, and no account.
        std::env::set_var("SURFPOOL_CHECKPOINT_INTERVAL_SLOTS", "5");
    }
}

/// A state file held by this process alone.
pub struct StateFile {
    path: PathBuf,
    _lock: File,
}

impl StateFile {
    /// Creates the file's folder and takes the lock beside it.
    ///
    /// # Errors
    /// When the folder cannot be written, or another chain runs on the same file.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .with_context(|| format!("cannot write {}", lock_path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "state file {} is in use by another local chain: stop that one, or name another file with --state",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", lock_path.display()));
            }
        }
        check_is_database(path)?;
        let path = std::path::absolute(path).with_context(|| format!("cannot resolve {}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    /// The path as surfpool takes it.
    ///
    /// # Errors
    /// A path that is not UTF-8.
    pub fn url(&self) -> Result<&str> {
        self.path.to_str().with_context(|| format!("--state {} is not UTF-8", self.path.display()))
    }
}

/// Refuses a file that is something else, before SQLite would answer with a code.
fn check_is_database(path: &Path) -> Result<()> {
    use std::io::Read;
    let Ok(mut file) = File::open(path) else { return Ok(()) };
    let mut head = Vec::new();
    file.by_ref().take(16).read_to_end(&mut head).with_context(|| format!("cannot read {}", path.display()))?;
    if !head.is_empty() && head != b"SQLite format 3\0" {
        bail!("{} is not a state file of a local chain: name another with --state", path.display());
    }
    Ok(())
}

/// Gives the chain the genesis it had before, or one of its own, so that `getGenesisHash` names this chain.
pub fn settle_genesis(svm: &mut SurfnetSvm) -> Result<()> {
    let key = GENESIS_TIME.to_owned();
    let time = match svm.slot_checkpoint.get(&key)? {
        Some(time) => time,
        None => {
            // Nanoseconds, so that two chains started in one second still differ.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
            let time = u64::try_from(now.as_nanos() & u128::from(u64::MAX >> 1))?;
            svm.slot_checkpoint.store(key, time)?;
            time
        }
    };
    svm.genesis_config.creation_time = i64::try_from(time)?;
    Ok(())
}

/// Puts every account of the file back into the virtual machine, and repairs the one index that opening overwrites.
pub fn restore(svm: &mut SurfnetSvm) -> Result<usize> {
    let mut accounts: Vec<(Pubkey, Account)> = Vec::new();
    if let Some(database) = &svm.inner.db {
        for (address, account) in database.into_iter()? {
            let address = address.parse().with_context(|| format!("state file holds the address {address}"))?;
            accounts.push((address, account.into()));
        }
    }
    accounts.retain(|(_, account)| account.owner != NATIVE_LOADER && account.owner != SYSVAR_OWNER);
    // Programs last: they are compiled from their data accounts.
    accounts.sort_by_key(|(address, account)| (account.executable, *address));

    let tokens = TOKEN_PROGRAM.to_string();
    let mut owned = svm.accounts_by_owner.get(&tokens)?.unwrap_or_default();
    let count = accounts.len();
    for (address, account) in accounts {
        if account.owner == TOKEN_PROGRAM && !owned.contains(&address.to_string()) {
            owned.push(address.to_string());
        }
        svm.inner
            .svm
            .set_account(address, account)
            .map_err(|error| anyhow::anyhow!("cannot restore account {address}: {error}"))?;
    }
    svm.accounts_by_owner.store(tokens, owned)?;
    Ok(count)
}

/// Notes the slot to go on from.
pub fn note_slot(svm: &mut SurfnetSvm) -> Result<()> {
    let slot = svm.latest_epoch_info.absolute_slot;
    svm.slot_checkpoint.store(LATEST_SLOT.to_owned(), slot)?;
    Ok(())
}
