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
    output::{file::NewFile, text::printable},
};

/// A place for a receipt.
pub(crate) enum ReceiptFile {
    /// This file, and whether it may replace any other one.
    File(PathBuf, bool),
    /// A file in this folder, called after the job.
    Folder(PathBuf),
}

impl ReceiptFile {
    /// Checks that a receipt can be written to `file`, or to the usual folder. A file that is there is replaced where it is a
    /// receipt of `job`, or where `force` says so.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) fn prepare(
        file: Option<PathBuf>,
        job: Option<&Pubkey>,
        force: bool,
        context: &Context<'_>,
    ) -> Result<Self> {
        let (place, folder) = match file {
            Some(file) => {
                check(&file, job, force, context)?;
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned);
                (Self::File(file, force), folder.unwrap_or_else(|| ".".into()))
            }
            None => {
                let folder = context.receipts_folder()?;
                (Self::Folder(folder.clone()), folder)
            }
        };
        let refused = |error: std::io::Error| {
            Failure::failed(format!(
                "a receipt could not be written to {}: {error}; nothing was paid",
                folder.display()
            ))
            .hint("name another --receipt FILE")
        };
        fs::create_dir_all(&folder).map_err(&refused)?;
        match &place {
            // Opened, not emptied: an older receipt stays until there is a new one.
            Self::File(file, _) if file.exists() => drop(OpenOptions::new().append(true).open(file).map_err(&refused)?),
            _ => drop(tempfile::tempfile_in(&folder).map_err(&refused)?),
        }
        Ok(place)
    }

    /// Writes the first receipt of `finished`, if there is one. A failure is said and costs nothing but the file: the
    /// answer is told anyway, and what the nodes gave is in the folder of kept jobs.
    pub(crate) fn save(self, finished: &Finished, context: &Context<'_>) -> Option<(Option<PathBuf>, SignedReceipt)> {
        let job = &finished.job.address;
        if let Some(error) = &finished.unkept {
            context.output.note(&format!("the answer could not be kept on this machine: {}", printable(error)));
        }
        let later = context.command(&format!("job receipt {job} --out FILE"));
        let Some(receipt) = finished.receipts.first() else {
            for (node, why) in &finished.missing_receipts {
                context.output.note(&format!("no receipt from {node}: {}", printable(why)));
            }
            context.output.note(&format!("to ask for it again: {later}"));
            return None;
        };
        let (path, force) = match self {
            Self::File(file, force) => (file, force),
            Self::Folder(folder) => (folder.join(format!("{job}.json")), true),
        };
        // Somebody may have put a file there meanwhile.
        match check(&path, Some(job), force, context).and_then(|()| write(&path, receipt)) {
            Ok(()) => Some((Some(path), receipt.clone())),
            Err(error) => {
                context.output.note(&format!("{error:#}; to write it elsewhere: {later}"));
                Some((None, receipt.clone()))
            }
        }
    }
}

/// Checks that a receipt may take the place of what is at `path`: of nothing, of a receipt of the same job, or of any file
/// where `force` says so; but never of the wallet.
///
/// # Errors
/// It may not.
pub(crate) fn check(path: &Path, job: Option<&Pubkey>, force: bool, context: &Context<'_>) -> Result<()> {
    let there = fs::metadata(path);
    // A pipe or a terminal keeps nothing that could be lost.
    if there.is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return Ok(());
    }
    let same = job.is_some_and(|job| of(path).is_some_and(|receipt| receipt.place == job.to_string()));
    NewFile::at(path, true)?.apart_from(context.keypair_path())?;
    NewFile::at(path, force || same).map(drop)
}

/// The receipt in a file; `None` where there is none.
fn of(path: &Path) -> Option<SignedReceipt> {
    /// More bytes than any receipt has.
    const MOST: u64 = 1 << 16;
    fs::metadata(path).ok().filter(|file| file.is_file() && file.len() <= MOST)?;
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Writes a receipt where `provena verify` can read it; an older one stays until the new one is whole.
///
/// # Errors
/// The system refuses.
pub(crate) fn write(path: &Path, receipt: &SignedReceipt) -> Result<()> {
    let json = serde_json::to_string_pretty(receipt)? + "\n";
    let written = if path.exists() && !path.is_file() {
        // A pipe or a terminal.
        fs::write(path, json).map_err(anyhow::Error::from)
    } else {
        NewFile::at(path, true).and_then(|file| file.write(json.as_bytes()))
    };
    written.with_context(|| format!("cannot write the receipt {}", path.display()))
}
