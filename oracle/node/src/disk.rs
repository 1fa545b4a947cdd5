//! The disk under a folder: how much room there is.

use std::io;
use std::path::Path;

use serde::Serialize;

/// Room on the disk of a folder, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Space {
    /// What this user may still write.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// Room on the disk of `folder`.
///
/// # Errors
/// The system's, e.g. when the folder is gone.
pub fn space(folder: &Path) -> io::Result<Space> {
    let found = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Ok(Space { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
}

/// Bytes that this user may still write on the disk of `folder`.
///
/// # Errors
/// As for [`space`].
pub fn free(folder: &Path) -> io::Result<u64> {
    space(folder).map(|space| space.free)
}
