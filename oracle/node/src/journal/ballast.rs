//! Space that is held back, so that what was begun can be written when the disk is full.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes that are held back: many times what the jobs in progress can write until they are decided.
const LEN: u64 = 4 << 20;

/// Bytes that are written at a time.
const PIECE: usize = 64 << 10;

/// A file of which nothing is read: it is removed when the disk is full, and comes back when there is room.
#[derive(Debug)]
pub(super) struct Ballast {
    path: PathBuf,
    held: AtomicBool,
}

impl Ballast {
    /// Beside the log. A disk that has no room for it now is no error: nothing is held back then.
    pub(super) fn beside(log: &Path) -> Self {
        let path = log.with_extension("ballast");
        let held = path.metadata().is_ok_and(|metadata| metadata.len() == LEN);
        let ballast = Self { path, held: AtomicBool::new(held) };
        ballast.restore();
        ballast
    }

    /// Whether the space is held back.
    pub(super) fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// Gives the space up; says whether there was any to give.
    pub(super) fn give_up(&self) -> bool {
        let held = self.held.swap(false, Ordering::Relaxed);
        std::fs::remove_file(&self.path).is_ok() && held
    }

    /// Holds the space back again, if the disk has twice as much to spare; says whether it is held now.
    pub(super) fn restore(&self) -> bool {
        if self.is_held() {
            return true;
        }
        let free = self.path.parent().and_then(|folder| crate::disk::free(folder).ok());
        if free.is_none_or(|free| free < 2 * LEN) {
            return false;
        }
        match self.write() {
            Ok(()) => self.held.store(true, Ordering::Relaxed),
            Err(error) => {
                tracing::debug!(%error, "no space can be held back for the crash log");
                drop(std::fs::remove_file(&self.path));
            }
        }
        self.is_held()
    }

    /// Every byte is written: a file of holes would hold nothing back.
    fn write(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        // Bytes that a file system cannot compress away.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut piece = vec![0; PIECE];
        for _ in 0..LEN / PIECE as u64 {
            for word in piece.chunks_exact_mut(size_of::<u64>()) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            file.write_all(&piece)?;
        }
        file.sync_all()
    }
}
