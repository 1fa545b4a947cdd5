//! A chain that is kept in a file: taken up at the start, written every second while something changes, and at the end.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use surfpool_core::surfnet::{locker::SurfnetSvmLocker, svm::SurfnetSvm};

use crate::{
    lifeline::say,
    snapshot::{Genesis, Snapshot},
};

/// Time between two looks whether something has changed. A kill loses what happened since.
const EVERY: Duration = Duration::from_secs(1);

/// Slots after which the file is written although no account has changed, so that the slot never falls far behind.
const SLOTS: u64 = 5;

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
        let path = std::path::absolute(path).with_context(|| format!("cannot resolve {}", path.display()))?;
        if let Some(folder) = path.parent() {
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
        Ok(Self { path, _lock: lock })
    }

    /// Puts a new chain where the file's was. `None` when there is no file yet.
    ///
    /// # Errors
    /// A file that is something else.
    pub fn restore(&self, svm: &mut SurfnetSvm) -> Result<Option<usize>> {
        Snapshot::read(&self.path)?.map(|snapshot| snapshot.restore(svm)).transpose()
    }

    /// Keeps the file until [`Keeper::stop`].
    ///
    /// # Errors
    /// The first snapshot cannot be written, or no thread can be had.
    pub fn keep(self, svm: SurfnetSvmLocker, genesis: Genesis) -> Result<Keeper> {
        let (stop, stopped) = mpsc::channel();
        let mut last = self.write(&svm, &genesis, None)?;
        let thread = std::thread::Builder::new().name("chain state".into()).spawn(move || {
            loop {
                let ends = !matches!(stopped.recv_timeout(EVERY), Err(RecvTimeoutError::Timeout));
                match self.write(&svm, &genesis, last.as_ref().filter(|_| !ends)) {
                    Ok(Some(written)) => last = Some(written),
                    Ok(None) => {}
                    Err(error) if ends => return Err(error),
                    Err(error) => {
                        say(format_args!("chain warning: {error:#}; what happens now would be lost at the end"))
                    }
                }
                if ends {
                    return Ok(());
                }
            }
        })?;
        Ok(Keeper { stop, thread })
    }

    /// Writes the chain's state unless it is as `last` says; returns it when it was written.
    fn write(&self, svm: &SurfnetSvmLocker, genesis: &Genesis, last: Option<&Snapshot>) -> Result<Option<Snapshot>> {
        let now = svm.with_svm_reader(|svm| Snapshot::take(svm, genesis))?;
        if last.is_some_and(|last| now.has_accounts_of(last) && now.slot < last.slot + SLOTS) {
            return Ok(None);
        }
        now.write(&self.path)?;
        Ok(Some(now))
    }
}

/// The thread that keeps a state file.
pub struct Keeper {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Result<()>>,
}

impl Keeper {
    /// Writes the state a last time.
    ///
    /// # Errors
    /// It cannot be written: the file holds an older one.
    pub fn stop(self) -> Result<()> {
        // It ends as well when it cannot be told.
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_else(|_| bail!("the thread that keeps the state died"))
    }
}

/// Gives the chain a genesis of its own, so that `getGenesisHash` names this chain.
pub fn settle_genesis(svm: &mut SurfnetSvm) -> Result<()> {
    // Nanoseconds, so that two chains started in one second still differ.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let time = u64::try_from(now.as_nanos() & u128::from(u64::MAX >> 1))?;
    svm.genesis_config.creation_time = i64::try_from(time)?;
    Ok(())
}
