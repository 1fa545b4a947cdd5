//! Locks that one process per key and chain holds on a machine, in folders that nobody but its user can write.
//!
//! Where others can write they could hold the lock themselves, and no node of this key would ever start.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use solana_pubkey::Pubkey;

use super::{InstanceError, new_id};

/// Attempts to take a lock: a process that is just ending holds it for a moment longer.
const ATTEMPTS: u32 = 20;

/// The pause between two of them.
const PAUSE: Duration = Duration::from_millis(50);

/// Where a user's locks can be. Two processes of one user have at least one of these in common, whatever each was started
/// by: a service may have no runtime folder, and two sessions may have two folders for temporary files.
#[derive(Debug, Clone, Default)]
pub struct LockPlaces {
    /// `$XDG_RUNTIME_DIR`, which ends with the session.
    pub runtime: Option<PathBuf>,
    /// What this user keeps in his home for Provena.
    pub home: Option<PathBuf>,
    /// The folder for temporary files, in which others can write: the locks are in a folder in it that is this user's alone.
    pub temporary: Option<PathBuf>,
}

impl LockPlaces {
    /// Those of this process's user.
    #[must_use]
    pub fn of_this_user() -> Self {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        Self {
            runtime: runtime.filter(|folder| folder.is_dir()),
            home: provena_engine::places::cache(),
            temporary: Some(std::env::temp_dir()),
        }
    }

    /// The folders that are this user's alone; they are made where they are missing. The others are left out, and why is
    /// said in the last one's words.
    fn private(&self) -> (Vec<PathBuf>, Option<(PathBuf, io::Error)>) {
        let (mut folders, mut refused) = (Vec::new(), None);
        let Some(me) = [&self.home, &self.runtime, &self.temporary].into_iter().flatten().find_map(|at| user(at))
        else {
            let at = self.temporary.clone().unwrap_or_default();
            return (folders, Some((at, io::Error::from(ErrorKind::PermissionDenied))));
        };
        let of_user = format!("provena-{me}");
        let below = |base: &Option<PathBuf>, name: &str| base.as_ref().map(|base| base.join(name));
        let all = [below(&self.runtime, "provena"), below(&self.home, "locks"), below(&self.temporary, &of_user)];
        for folder in all.into_iter().flatten() {
            match make_private(&folder, me) {
                Ok(()) => folders.push(folder),
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), %error, "no lock is held there");
                    refused = Some((folder, error));
                }
            }
        }
        (folders, refused)
    }
}

/// The locks of this process; they end with it, whatever ends it.
#[derive(Debug)]
pub struct KeyLock {
    held: Vec<(PathBuf, File)>,
}

impl Drop for KeyLock {
    fn drop(&mut self) {
        for (path, _still_held) in &self.held {
            // Whoever opened it meanwhile sees that it is not there any more, and opens another.
            drop(fs::remove_file(path));
        }
    }
}

impl KeyLock {
    /// Takes the locks of a node on a chain, in every place that is this user's alone.
    ///
    /// # Errors
    /// [`InstanceError::SameMachine`], and [`InstanceError::Lock`] where there is no such place.
    pub fn take(node: &Pubkey, cluster: &[u8; 32]) -> Result<Self, InstanceError> {
        Self::take_in(&LockPlaces::of_this_user(), node, cluster)
    }

    /// As [`KeyLock::take`], in these places.
    ///
    /// # Errors
    /// As for [`KeyLock::take`].
    pub fn take_in(places: &LockPlaces, node: &Pubkey, cluster: &[u8; 32]) -> Result<Self, InstanceError> {
        let name = format!("provena-node-{node}-{}.lock", hex::encode(&cluster[..4]));
        let (folders, mut refused) = places.private();
        let mut locks = Self { held: Vec::new() };
        for folder in &folders {
            let path = folder.join(&name);
            match lock(&path) {
                Ok(Some(file)) => locks.held.push((path, file)),
                Ok(None) => return Err(InstanceError::SameMachine { node: *node, path }),
                // Not every file system knows locks.
                Err(error) => refused = Some((path, error)),
            }
        }
        match refused {
            Some((path, error)) if locks.held.is_empty() => {
                Err(InstanceError::Lock { path, reason: error.to_string() })
            }
            _ => Ok(locks),
        }
    }
}

/// The lock at `path`; `None` where another process holds it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            std::thread::sleep(PAUSE);
        }
        let file = open(path)?;
        match file.try_lock() {
            // Its last holder may have removed it since it was opened.
            Ok(()) if is_at(&file, path) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
        }
    }
    Ok(None)
}

fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path)
}

/// Whether a file still has its name.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Makes a folder that only the user `me` can write, or checks that it is such a one.
fn make_private(folder: &Path, me: u32) -> io::Result<()> {
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made?,
    }
    let found = fs::symlink_metadata(folder)?;
    let others = |reason: &str| Err(io::Error::new(ErrorKind::PermissionDenied, reason.to_owned()));
    if !found.is_dir() {
        return others("it is no folder");
    }
    if found.uid() != me {
        return others("it belongs to another user");
    }
    if found.mode() & 0o022 != 0 {
        return others("others can write in it");
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// This process's user: the owner of what it makes.
fn user(folder: &Path) -> Option<u32> {
    fs::create_dir_all(folder).ok()?;
    let probe = folder.join(format!("provena-{}", new_id()));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe).ok()?;
    let owner = made.metadata().ok().map(|made| made.uid());
    drop(fs::remove_file(&probe));
    owner
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: [u8; 32] = [7; 32];

    fn node() -> Pubkey {
        Pubkey::new_from_array([1; 32])
    }

    fn take(places: &LockPlaces) -> Result<KeyLock, InstanceError> {
        KeyLock::take_in(places, &node(), &CLUSTER)
    }

    /// Three places in a folder.
    fn places(base: &Path) -> LockPlaces {
        let at = |name: &str| {
            fs::create_dir_all(base.join(name)).unwrap();
            Some(base.join(name))
        };
        LockPlaces { runtime: at("run"), home: at("home"), temporary: at("tmp") }
    }

    #[test]
    fn n18_a_second_process_with_the_same_key_on_the_same_chain_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let all = places(base.path());
        let first = take(&all).unwrap();
        let error = take(&all).unwrap_err();
        assert!(matches!(error, InstanceError::SameMachine { .. }), "{error}");
        // The same key on another chain, or another key, does no harm.
        KeyLock::take_in(&all, &node(), &[8; 32]).unwrap();
        KeyLock::take_in(&all, &Pubkey::new_from_array([2; 32]), &CLUSTER).unwrap();
        drop(first);
        take(&all).unwrap();
    }

    #[test]
    fn n18_two_processes_of_a_user_meet_whatever_started_them() {
        let base = tempfile::tempdir().unwrap();
        let all = places(base.path());
        let other = || Some(tempfile::tempdir_in(base.path()).unwrap().keep());
        // A session, and a service that has no runtime folder and temporary files of its own.
        let session = take(&all).unwrap();
        let service = LockPlaces { runtime: None, temporary: other(), ..all.clone() };
        assert!(matches!(take(&service).unwrap_err(), InstanceError::SameMachine { .. }));
        drop(session);
        // Two that have no home in common.
        let _first = take(&LockPlaces { home: None, ..all.clone() }).unwrap();
        let second = LockPlaces { runtime: None, home: other(), ..all };
        assert!(matches!(take(&second).unwrap_err(), InstanceError::SameMachine { .. }));
    }

    #[test]
    fn n18_another_user_who_holds_what_he_can_reach_stops_nobody() {
        let base = tempfile::tempdir().unwrap();
        let all = places(base.path());
        let tmp = all.temporary.clone().unwrap();
        // The name that earlier versions locked where all can write, and the folder of this version, before it is made.
        let old = tmp.join(format!("provena-node-{}-{}.lock", node(), hex::encode(&CLUSTER[..4])));
        let held = File::create(&old).unwrap();
        held.lock().unwrap();
        let squatted = tmp.join(format!("provena-{}", user(&tmp).unwrap()));
        fs::create_dir(&squatted).unwrap();
        fs::set_permissions(&squatted, fs::Permissions::from_mode(0o777)).unwrap();
        let inside = File::create(squatted.join(old.file_name().unwrap())).unwrap();
        inside.lock().unwrap();
        let first = take(&all).unwrap();
        assert!(matches!(take(&all).unwrap_err(), InstanceError::SameMachine { .. }), "the other places still count");
        drop(first);
        // A link that leads elsewhere is no folder, whoever it belongs to.
        fs::remove_dir_all(&squatted).unwrap();
        std::os::unix::fs::symlink(base.path(), &squatted).unwrap();
        take(&all).unwrap();
        // Where there is nothing else the node does not start, and says why.
        let alone = LockPlaces { runtime: None, home: None, ..all };
        let error = take(&alone).unwrap_err();
        assert!(matches!(error, InstanceError::Lock { .. }), "{error}");
        // A folder of another user's; only root can play that.
        fs::remove_file(&squatted).unwrap();
        fs::create_dir(&squatted).unwrap();
        if std::os::unix::fs::chown(&squatted, Some(12_345), None).is_ok() {
            let error = take(&alone).unwrap_err();
            assert!(error.to_string().contains("another user"), "{error}");
        }
    }

    #[test]
    fn a_process_that_ends_well_leaves_no_lock() {
        let base = tempfile::tempdir().unwrap();
        let home = LockPlaces { home: Some(base.path().to_owned()), ..LockPlaces::default() };
        let names = || fs::read_dir(base.path().join("locks")).unwrap().count();
        let held = take(&home).unwrap();
        assert_eq!(names(), 1);
        assert_eq!(fs::metadata(base.path().join("locks")).unwrap().mode() & 0o777, 0o700);
        drop(held);
        assert_eq!(names(), 0);
    }
}
