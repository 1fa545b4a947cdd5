//! What a state file holds: every account that differs from a new chain's, and where the chain was.
//!
//! One file, written whole beside the old one and put in its place, so that there is always a whole one. Accounts that were
//! closed are not in it, because it is made from the accounts that there are, not from what was written once. The faucet's key
//! is another one after each start; what it has left is kept, so that no restart makes money.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use solana_account::{Account, ReadableAccount};
use solana_pubkey::Pubkey;
use surfpool_core::surfnet::svm::SurfnetSvm;
use surfpool_core::types::SyntheticBlockhash;

const NATIVE_LOADER: Pubkey = solana_pubkey::pubkey!("NativeLoader1111111111111111111111111111111");
const SYSVAR_OWNER: Pubkey = solana_pubkey::pubkey!("Sysvar1111111111111111111111111111111111111");

/// The first bytes of a state file; the last one is its layout.
const MAGIC: &[u8; 16] = b"provena chain 1\0";

/// A chain at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What the genesis hash is made of.
    pub genesis_time: u64,
    /// The slot to go on from.
    pub slot: u64,
    /// Lamports that the faucet has left.
    pub faucet: u64,
    /// Every account that a new chain does not have, or has otherwise, by address.
    pub accounts: Vec<(Pubkey, Account)>,
}

/// The accounts of a new chain.
#[derive(Debug, Default)]
pub struct Genesis(HashMap<Pubkey, Account>);

impl Genesis {
    /// Of a chain on which nothing has happened.
    pub fn of(svm: &SurfnetSvm) -> Self {
        Self(accounts(svm).collect())
    }
}

/// The accounts that exist. One without lamports does not.
fn accounts(svm: &SurfnetSvm) -> impl Iterator<Item = (Pubkey, Account)> {
    let faucet = svm.inner.airdrop_pubkey();
    let all = svm.inner.svm.accounts_db().inner.iter();
    let lasting = all.filter(move |(address, account)| {
        let owner = account.owner();
        account.lamports() > 0 && **address != faucet && *owner != NATIVE_LOADER && *owner != SYSVAR_OWNER
    });
    lasting.map(|(address, account)| (*address, Account::from(account.clone())))
}

impl Snapshot {
    /// Of a chain that began as `genesis`.
    ///
    /// # Errors
    /// A time before 1970.
    pub fn take(svm: &SurfnetSvm, genesis: &Genesis) -> Result<Self> {
        let mut accounts: Vec<_> =
            accounts(svm).filter(|(address, account)| genesis.0.get(address) != Some(account)).collect();
        accounts.sort_by_key(|(address, _)| *address);
        let faucet = svm.inner.get_account_no_db(&svm.inner.airdrop_pubkey()).map_or(0, |account| account.lamports);
        let genesis_time = u64::try_from(svm.genesis_config.creation_time)?;
        Ok(Self { genesis_time, slot: svm.latest_epoch_info.absolute_slot, faucet, accounts })
    }

    /// Puts a new chain where this one was. Says how many accounts came back.
    ///
    /// # Errors
    /// An account that the virtual machine refuses.
    pub fn restore(self, svm: &mut SurfnetSvm) -> Result<usize> {
        svm.genesis_config.creation_time = i64::try_from(self.genesis_time)?;
        let elapsed = self.slot.saturating_sub(svm.genesis_slot).saturating_mul(svm.slot_time);
        svm.genesis_updated_at = svm.genesis_updated_at.saturating_sub(elapsed);
        svm.chain_tip.index = self.slot;
        svm.chain_tip.hash = SyntheticBlockhash::new(self.slot.saturating_sub(1)).to_string();
        let epoch = &mut svm.latest_epoch_info;
        (epoch.absolute_slot, epoch.block_height) = (self.slot, self.slot);
        (epoch.epoch, epoch.slot_index) = (self.slot / epoch.slots_in_epoch, self.slot % epoch.slots_in_epoch);
        svm.reconstruct_sysvars();

        let count = self.accounts.len();
        let mut accounts = self.accounts;
        // Programs last: they are compiled from their data accounts.
        accounts.sort_by_key(|(address, account)| (account.executable, *address));
        let faucet = Account { lamports: self.faucet, ..Account::default() };
        accounts.push((svm.inner.airdrop_pubkey(), faucet));
        for (address, account) in accounts {
            // Through the chain's own door, which keeps its indexes by owner and by token as well.
            svm.set_account(&address, account)
                .map_err(|error| anyhow::anyhow!("cannot restore account {address}: {error}"))?;
        }
        Ok(count)
    }

    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// A file that cannot be read, or that is something else.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let other = || format!("{} is not a state file of this local chain: name another with --state", path.display());
        if bytes.starts_with(b"SQLite format 3\0") {
            bail!(
                "{} was written by an earlier version, whose files brought closed accounts back: name another with --state",
                path.display()
            );
        }
        let body = bytes.strip_prefix(MAGIC).with_context(other)?;
        let (genesis_time, slot, faucet, accounts) = bincode::deserialize(body).with_context(other)?;
        Ok(Some(Self { genesis_time, slot, faucet, accounts }))
    }

    /// Replaces the file, all or nothing: a kill at any moment leaves the old one or this one.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, path: &Path) -> Result<()> {
        let Self { genesis_time, slot, faucet, accounts } = self;
        let body = bincode::serialize(&(genesis_time, slot, faucet, accounts))?;
        let mut draft = path.as_os_str().to_owned();
        draft.push(".draft");
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&draft)?;
            file.write_all(MAGIC)?;
            file.write_all(&body)?;
            file.sync_all()?;
            std::fs::rename(&draft, path)?;
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Whether the same accounts are in both.
    pub fn has_accounts_of(&self, other: &Self) -> bool {
        self.faucet == other.faucet && self.accounts == other.accounts
    }
}
