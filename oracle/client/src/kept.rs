//! Paid jobs on disk, so that neither ctrl-c nor a power cut nor a silent server makes anybody forget what was paid for.
//!
//! A record is written before the deposit is sent, and outlives the job's account: the answer and the receipts lie beside it. Of
//! what was asked in jobs that are over the newest stay, see [`JobsFolder::close`].

mod record;
mod tidy;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use solana_pubkey::Pubkey;

pub use record::KeptJob;

/// Ends the name of a record's file.
const RECORD: &str = "json";
/// Ends the name of a request's file.
const REQUEST: &str = "request";
/// Ends the name of an answer's file.
const ANSWER: &str = "answer";

/// Why a job cannot be kept, or read again.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The system refuses.
    #[error("{} cannot be {action}: {source}", path.display())]
    File {
        /// "read", "written" or "removed".
        action: &'static str,
        /// Which file or folder.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// Somebody else wrote it, or it is damaged.
    #[error("{} is no record of a job: {reason}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A folder of kept jobs: for each a record, its request, and its answer once that is there.
#[derive(Debug, Clone)]
pub struct JobsFolder {
    path: PathBuf,
}

impl JobsFolder {
    /// Opens the folder, which is made where it is missing.
    ///
    /// # Errors
    /// The system refuses.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeptError> {
        let path = path.into();
        fs::create_dir_all(&path).map_err(refused("written", &path))?;
        Ok(Self { path })
    }

    /// Keeps a new job and what is asked. Both are on the disk when this returns.
    ///
    /// # Errors
    /// The system refuses; nothing may be paid then.
    pub fn begin(&self, record: &KeptJob, request: &[u8]) -> Result<(), KeptError> {
        self.write(&self.file(&record.job, REQUEST), request)?;
        self.save(record)
    }

    /// The record of a job; `None` when there is none here.
    ///
    /// # Errors
    /// [`KeptError`].
    pub fn get(&self, job: &Pubkey) -> Result<Option<KeptJob>, KeptError> {
        let path = self.file(job, RECORD);
        self.read(&path)?.map(|bytes| record(&path, &bytes)).transpose()
    }

    /// Every record, and why some cannot be read.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn all(&self) -> Result<(Vec<KeptJob>, Vec<KeptError>), KeptError> {
        let (mut records, mut broken) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.path).map_err(refused("read", &self.path))? {
            let path = entry.map_err(refused("read", &self.path))?.path();
            if path.extension().is_none_or(|ending| ending != RECORD) {
                continue;
            }
            match self.read(&path).and_then(|bytes| bytes.map(|bytes| record(&path, &bytes)).transpose()) {
                Ok(found) => records.extend(found),
                Err(error) => broken.push(error),
            }
        }
        Ok((records, broken))
    }

    /// Replaces a job's record, all or nothing.
    ///
    /// # Errors
    /// The system refuses.
    pub fn save(&self, record: &KeptJob) -> Result<(), KeptError> {
        let path = self.file(&record.job, RECORD);
        let text = serde_json::to_vec_pretty(record);
        let text = text.map_err(|error| KeptError::Malformed { path: path.clone(), reason: error.to_string() })?;
        self.write(&path, &text)
    }

    /// Changes a job's record, if there is one.
    ///
    /// # Errors
    /// [`KeptError`].
    pub fn note(&self, job: &Pubkey, change: impl FnOnce(&mut KeptJob)) -> Result<(), KeptError> {
        let Some(mut record) = self.get(job)? else { return Ok(()) };
        change(&mut record);
        self.save(&record)
    }

    /// The bytes of what was asked, if they are here.
    ///
    /// # Errors
    /// The system refuses.
    pub fn request(&self, job: &Pubkey) -> Result<Option<Vec<u8>>, KeptError> {
        self.read(&self.file(job, REQUEST))
    }

    /// The bytes of the answer, if they are here.
    ///
    /// # Errors
    /// The system refuses.
    pub fn answer(&self, job: &Pubkey) -> Result<Option<Vec<u8>>, KeptError> {
        self.read(&self.file(job, ANSWER))
    }

    /// Keeps the answer's bytes.
    ///
    /// # Errors
    /// The system refuses.
    pub fn keep_answer(&self, job: &Pubkey, answer: &[u8]) -> Result<(), KeptError> {
        self.write(&self.file(job, ANSWER), answer)
    }

    /// Forgets a job that was never paid for.
    ///
    /// # Errors
    /// The system refuses.
    pub fn forget(&self, job: &Pubkey) -> Result<(), KeptError> {
        // The record last: while it is there the rest can be removed again.
        for ending in [ANSWER, REQUEST, RECORD] {
            let path = self.file(job, ending);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused("removed", &path)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&self, job: &Pubkey, ending: &str) -> PathBuf {
        self.path.join(format!("{job}.{ending}"))
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, KeptError> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused("read", path)(error)),
        }
    }

    /// Writes beside the file and renames, so that a power cut leaves the old content or the new.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), KeptError> {
        static DRAFTS: AtomicU32 = AtomicU32::new(0);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let draft = path.with_extension(format!("{}-{number}.draft", std::process::id()));
        let written = File::create(&draft)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&draft, path))
            .and_then(|()| sync(&self.path));
        written.map_err(|error| {
            // It may never have been made.
            let _ = fs::remove_file(&draft);
            refused("written", path)(error)
        })
    }
}

/// Makes a renaming last through a power cut.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn record(path: &Path, bytes: &[u8]) -> Result<KeptJob, KeptError> {
    let malformed = |reason: String| KeptError::Malformed { path: path.to_owned(), reason };
    serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))
}

fn refused(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeptError {
    let path = path.to_owned();
    move |source| KeptError::File { action, path, source }
}
