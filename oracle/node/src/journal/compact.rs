//! Keeping the log short: jobs that are over for good are dropped when it is opened.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{End, Entry, JobKey, JobRecord};

/// Whether a job's record is no longer needed: it was settled, so the chain lets nobody work on it again, or nothing was
/// ever computed for it. Its receipt, if any, has a file of its own.
pub(super) fn is_over(record: &JobRecord) -> bool {
    match record.end {
        Some(End::Settled) => true,
        Some(End::Abandoned(_)) => record.computed.is_none(),
        None => false,
    }
}

/// Drops what is over when that is more than `most` jobs, and replaces the file at `path` by what is left, all or nothing.
/// Says whether it did.
///
/// # Errors
/// The system's; the old file is then still there, whole.
pub(super) fn compact(path: &Path, jobs: &mut BTreeMap<JobKey, JobRecord>, most: usize) -> io::Result<bool> {
    if jobs.values().filter(|record| is_over(record)).count() <= most {
        return Ok(false);
    }
    jobs.retain(|_, record| !is_over(record));
    let draft = path.with_extension("draft");
    let mut file = BufWriter::new(super::private().create(true).write(true).truncate(true).open(&draft)?);
    for (key, record) in jobs.iter() {
        for event in record.events() {
            serde_json::to_writer(&mut file, &Entry { key: *key, event })?;
            file.write_all(b"\n")?;
        }
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&draft, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(true)
}
