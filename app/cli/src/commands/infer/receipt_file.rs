//! Where a receipt is kept. That it can be written is found out before anything is paid.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use provena_client::Finished;
use provena_wire::SignedReceipt;
use solana_pubkey::Pubkey;

use crate::{
    context::Context,
    failure::Failure,
    output::{Output, file::NewFile},
};

/// A place for a receipt.
pub(crate) enum ReceiptFile {
    /// This file.
    File(PathBuf),
    /// A file in this folder, called after the job.
    Folder(PathBuf),
}

impl ReceiptFile {
    /// Checks that a receipt can be written to `file`, or to the usual folder.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) fn prepare(file: Option<PathBuf>, context: &Context<'_>) -> Result<Self> {
        let (place, folder) = match file {
            Some(file) => {
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned);
                (Self::File(file), folder.unwrap_or_else(|| ".".into()))
            }
            None => {
                let folder = context.receipts_folder()?;
                (Self::Folder(folder.clone()), folder)
            }
        };
        let refused = |error: std::io::Error| {
            Failure::failed(format!("a receipt could not be written to {}: {error}", folder.display()))
                .hint("nothing was paid; name another --receipt FILE")
        };
        fs::create_dir_all(&folder).map_err(&refused)?;
        match &place {
            // Opened, not emptied: an older receipt stays until there is a new one.
            Self::File(file) if file.exists() => drop(OpenOptions::new().append(true).open(file).map_err(&refused)?),
            _ => drop(tempfile::tempfile_in(&folder).map_err(&refused)?),
        }
        Ok(place)
    }

    /// Writes the first receipt of `finished`, if there is one. A failure is said and costs nothing but the file: the
    /// answer is told anyway.
    pub(crate) fn save(self, job: &Pubkey, finished: &Finished, output: &Output) -> Option<(PathBuf, SignedReceipt)> {
        let Some(receipt) = finished.receipts.first() else {
            for (node, why) in &finished.missing_receipts {
                output.note(&format!("no receipt from {node}: {why}"));
            }
            output.note(&format!("ask for it again: provena job answer {job}"));
            return None;
        };
        let path = match self {
            Self::File(file) => file,
            Self::Folder(folder) => folder.join(format!("{job}.json")),
        };
        match write(&path, receipt) {
            Ok(()) => Some((path, receipt.clone())),
            Err(error) => {
                output.note(&format!("{error:#}; ask for it again: provena job answer {job}"));
                None
            }
        }
    }
}

/// Writes a receipt where `provena verify` can read it.
///
/// # Errors
/// The system refuses.
pub(crate) fn write(path: &Path, receipt: &SignedReceipt) -> Result<()> {
    let json = serde_json::to_string_pretty(receipt)?;
    // An older receipt stays until there is a new one.
    NewFile::at(path, true)?.write((json + "\n").as_bytes()).context("cannot keep the receipt")
}
