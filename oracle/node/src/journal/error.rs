//! Why the crash log cannot be used.

use std::path::PathBuf;

use solana_pubkey::Pubkey;

/// Why the log cannot be used. The node stops on any of these but [`JournalError::Full`] rather than act without a log.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be opened, read or written.
    #[error(
        "the crash log {path} cannot be used ({reason}); free space on its disk and make it writable for this user"
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The disk is full, and the space that was held back for this is used up as well. The entry is not on disk.
    ///
    /// Everything but [`Taking`](super::Event::Taking) is remembered all the same, for as long as the process lives, and
    /// is written with the first entry that finds room again. Going on is safe after it, also when the process dies
    /// before: the entry that matters most, that a seat was asked for, was on disk before the seat was taken, and the
    /// chain shows the seat as well. What follows can be made again and comes out the same: a result, because models
    /// compute the same result everywhere; the salt, because it is derived from the key, the job and its input; the
    /// receipt, because it states what the chain and the result say and its signature is deterministic; and a
    /// transaction, because the chain refuses to take the same step twice. Only a new seat must not be asked for.
    #[error("the disk of the crash log {path} is full ({reason}); no new job is taken until there is room again")]
    Full {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The file is not what was written.
    #[error(
        "the crash log {path} is damaged ({reason}); restore it from a backup, or move it away once the node holds no seat on the chain"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder holds the log of an earlier version, which this one does not read.
    #[error(
        "{path} is the crash log of an earlier version; let that version finish its jobs, then move the file away: the node's key and the chain hold everything else"
    )]
    Outdated {
        /// Which file.
        path: PathBuf,
    },
    /// Another process uses it.
    #[error(
        "the crash log {path} is in use by another process; stop the other node, or give this one its own data folder"
    )]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// The log forbids the entry.
    #[error("refused for job {job}: {reason}")]
    Conflict {
        /// Which job.
        job: Pubkey,
        /// Which rule.
        reason: &'static str,
    },
}
