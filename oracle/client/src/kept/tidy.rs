//! How much is kept of what was asked in jobs that are over.
//!
//! The answer and the receipts stay. The request is only needed to compute the answer again, and may have 16 MiB: of those the
//! newest stay, and who wants to check an older answer brings its request from a store.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use solana_pubkey::Pubkey;

use super::{JobsFolder, KeptError, KeptJob, REQUEST, refused};

/// How many requests of jobs that are over stay, and how many bytes of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Requests.
    pub count: usize,
    /// Bytes.
    pub bytes: u64,
}

/// What a folder keeps.
pub(super) const ROOM: Room = Room { count: 1_000, bytes: 64 << 20 };

/// A request's file.
struct Kept {
    job: Pubkey,
    path: PathBuf,
    bytes: u64,
    written: SystemTime,
}

impl JobsFolder {
    /// Notes that a job's account is gone, and drops the oldest requests of jobs that are over where there are very many.
    ///
    /// # Errors
    /// [`KeptError`].
    pub fn close(&self, job: &Pubkey) -> Result<(), KeptError> {
        self.note(job, |record| record.closed = true)?;
        self.tidy(ROOM)
    }

    /// Drops the oldest requests of jobs that are over until the others have room.
    pub(super) fn tidy(&self, room: Room) -> Result<(), KeptError> {
        let mut requests = self.requests()?;
        let fits = |requests: &[Kept]| {
            requests.len() <= room.count && requests.iter().map(|request| request.bytes).sum::<u64>() <= room.bytes
        };
        // Records are read only where something has to go.
        if fits(&requests) {
            return Ok(());
        }
        requests
            .retain(|request| self.get(&request.job).is_ok_and(|record| record.is_some_and(|one| self.is_over(&one))));
        requests.sort_by_key(|request| request.written);
        let mut oldest = requests.as_slice();
        while let [request, younger @ ..] = oldest
            && !fits(oldest)
        {
            match fs::remove_file(&request.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(refused("removed", &request.path)(error));
                }
                _ => oldest = younger,
            }
        }
        Ok(())
    }

    /// Whether nothing will be done for a job any more, and what was bought is here.
    fn is_over(&self, record: &KeptJob) -> bool {
        let here = || self.answer(&record.job).is_ok_and(|answer| answer.is_some());
        record.closed && (!record.is_answered() || (here() && !record.receipts.is_empty()))
    }

    fn requests(&self) -> Result<Vec<Kept>, KeptError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(refused("read", &self.path))? {
            let entry = entry.map_err(refused("read", &self.path))?;
            let path = entry.path();
            let job = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            let Some(job) = job.filter(|_| path.extension().is_some_and(|ending| ending == REQUEST)) else { continue };
            // Another process may have removed it.
            let Ok(about) = entry.metadata() else { continue };
            let written = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            found.push(Kept { job, path, bytes: about.len(), written });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use provena_wire::SignedReceipt;

    use super::*;

    fn job(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    /// What is in it does not matter here.
    fn receipt() -> SignedReceipt {
        let mut receipt = serde_json::json!({});
        let texts = "cluster program place node payer asset content_root recipe_root input_root result_root terms_hash mint signature";
        texts.split(' ').for_each(|field| receipt[field] = "0".into());
        let numbers = "version kind number asset_version amount engine_class units_in units_out slot";
        numbers.split(' ').for_each(|field| receipt[field] = 0.into());
        serde_json::from_value(receipt).unwrap()
    }

    /// A job whose request has 100 bytes and is so many hours old.
    fn keep(folder: &JobsFolder, number: u8, hours: u64, change: impl FnOnce(&mut KeptJob)) {
        let mut record = KeptJob { closed: true, receipts: vec![receipt()], ..KeptJob::answered(job(number)) };
        change(&mut record);
        folder.begin(&record, &[number; 100]).unwrap();
        if record.is_answered() {
            folder.keep_answer(&record.job, b"an answer").unwrap();
        }
        let file = File::options().write(true).open(folder.file(&record.job, REQUEST)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3_600)).unwrap();
    }

    fn kept(folder: &JobsFolder) -> Vec<u8> {
        (1..=9).filter(|number| folder.request(&job(*number)).unwrap().is_some()).collect()
    }

    #[test]
    fn requests_of_jobs_that_are_over_do_not_stay_for_good() {
        let path = tempfile::tempdir().unwrap();
        let folder = JobsFolder::open(path.path()).unwrap();
        // The older ones first; three of them are not over: open, without a receipt, without its answer.
        keep(&folder, 1, 90, |record| record.closed = false);
        keep(&folder, 2, 80, |record| record.receipts.clear());
        keep(&folder, 3, 70, |_| ());
        fs::remove_file(folder.file(&job(3), "answer")).unwrap();
        keep(&folder, 4, 60, |_| ());
        // Cancelled: nothing was answered.
        keep(&folder, 5, 50, |record| {
            record.result_root = None;
            record.receipts.clear();
        });
        keep(&folder, 6, 40, |_| ());
        keep(&folder, 7, 30, |_| ());
        folder.tidy(ROOM).unwrap();
        assert_eq!(kept(&folder), [1, 2, 3, 4, 5, 6, 7]);
        folder.tidy(Room { count: 100, bytes: 300 }).unwrap();
        assert_eq!(kept(&folder), [1, 2, 3, 5, 6, 7], "of what is over the newest 300 bytes stay");
        folder.tidy(Room { count: 1, bytes: 1_000 }).unwrap();
        assert_eq!(kept(&folder), [1, 2, 3, 7]);
        // What was bought is all there.
        for number in [1, 2, 4, 5, 6, 7] {
            let record = folder.get(&job(number)).unwrap().unwrap();
            assert_eq!(folder.answer(&job(number)).unwrap().is_some(), record.is_answered(), "{number}");
        }
        folder.close(&job(1)).unwrap();
        assert!(folder.get(&job(1)).unwrap().unwrap().closed);
    }
}
