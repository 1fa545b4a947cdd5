//! The address book: names for what one made or used, so that no address has to be copied.
//!
//! It is one JSON file beside the wallet. Names belong to the chain at one `--url`, wallets' names to all; models and
//! datasets, offers, jobs and wallets have names of their own, so that `@digits` is a model to `offer create` and its offer
//! to `infer`. `@last` is the latest of the kind that is asked for. Finding a name needs no network.

pub(crate) mod arguments;
mod entry;
mod file;
pub(crate) mod names;

use std::path::PathBuf;

use solana_pubkey::Pubkey;

pub(crate) use entry::{Entry, Kind, Wanted};

/// The latest of a kind.
pub(crate) const LAST: &str = "last";

/// The names that hold for one chain.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    /// Where it is kept; none without a home folder.
    file: Option<PathBuf>,
    /// The chain, by its RPC address.
    chain: String,
}

/// What became of an address that was to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    /// The name, without its `@`.
    pub name: String,
    /// Whether an older entry had to give the name up.
    pub replaced: bool,
}

impl Book {
    /// The book in `file`, for the chain whose RPC address this is. Nothing is read yet.
    pub(crate) fn new(file: Option<PathBuf>, url: &str) -> Self {
        Self { file, chain: chain_of(url) }
    }

    /// The names that hold here, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read, in words.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, String> {
        let all = self.file.as_deref().map_or(Ok(Vec::new()), file::read)?;
        Ok(all.into_iter().filter(|entry| entry.holds_on(&self.chain)).collect())
    }

    /// The address of a name (without its `@`).
    ///
    /// # Errors
    /// There is no such name, in words that list near ones; or the file cannot be read.
    pub(crate) fn find(&self, wanted: Wanted, name: &str) -> Result<Pubkey, String> {
        names::find(&self.entries()?, wanted, name).map(|entry| entry.address)
    }

    /// The latest entry of this address.
    ///
    /// # Errors
    /// The file cannot be read, in words.
    pub(crate) fn of(&self, address: &Pubkey) -> Result<Option<Entry>, String> {
        Ok(self.entries()?.into_iter().rev().find(|entry| entry.address == *address))
    }

    /// Writes an address down under `name`, or, when that is taken, under `name-2` and so on. `gone` are addresses that
    /// do not exist any more, whose names are free again.
    ///
    /// # Errors
    /// The file cannot be read or written, in words.
    pub(crate) fn add(&self, kind: Kind, name: &str, address: Pubkey, gone: &[Pubkey]) -> Result<Remembered, String> {
        let file = self.file.as_deref().ok_or("there is no home folder for the address book")?;
        file::change(file, |entries| {
            let (mine, others): (Vec<Entry>, Vec<Entry>) =
                std::mem::take(entries).into_iter().partition(|entry| entry.holds_on(&self.chain));
            let before = mine.len();
            let mut mine: Vec<Entry> = mine
                .into_iter()
                .filter(|entry| {
                    let again = entry.kind == kind && entry.address == address;
                    !again && !gone.contains(&entry.address)
                })
                .collect();
            if kind == Kind::Job {
                // Only the latest has a use: `job list` knows the others.
                mine.retain(|entry| entry.kind != Kind::Job);
            }
            let name = names::free(&mine, kind, name);
            let replaced = mine.len() < before && kind != Kind::Job;
            let chain = kind.chain(&self.chain);
            mine.push(Entry { name: name.clone(), kind, address, chain });
            *entries = others.into_iter().chain(mine).collect();
            Remembered { name, replaced }
        })
    }

    /// Strikes a name out; returns what it named.
    ///
    /// # Errors
    /// There is no such name, or the file cannot be read or written, in words.
    pub(crate) fn remove(&self, wanted: Wanted, name: &str) -> Result<Entry, String> {
        let file = self.file.as_deref().ok_or("there is no home folder for the address book")?;
        file::change(file, |entries| {
            let mine: Vec<Entry> = entries.iter().filter(|entry| entry.holds_on(&self.chain)).cloned().collect();
            let found = names::exact(&mine, wanted, name)?;
            entries.retain(|entry| *entry != found);
            Ok(found)
        })?
    }

    /// Strikes out every name of an address that is no more. That it fails costs only a stale name.
    pub(crate) fn forget(&self, address: &Pubkey) {
        let Some(file) = self.file.as_deref().filter(|file| file.exists()) else { return };
        if let Err(error) = file::change(file, |entries| entries.retain(|entry| entry.address != *address)) {
            tracing::debug!(error, "a name stays in the address book");
        }
    }
}

/// An RPC address as the book names chains: this machine has one name.
fn chain_of(url: &str) -> String {
    url.trim_end_matches('/').to_lowercase().replacen("//localhost", "//127.0.0.1", 1)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn address(byte: u8) -> Pubkey {
        Pubkey::new_from_array([byte; 32])
    }

    fn book(folder: &TempDir, url: &str) -> Book {
        Book::new(Some(folder.path().join("provena/book.json")), url)
    }

    #[test]
    fn names_are_of_a_kind_and_of_a_chain() {
        let folder = TempDir::new().unwrap();
        let here = book(&folder, "http://localhost:8899/");
        assert_eq!(here.entries(), Ok(Vec::new()));
        let add = |kind, name: &str, byte| here.add(kind, name, address(byte), &[]).unwrap().name;
        assert_eq!(add(Kind::Model, "digits", 1), "digits");
        assert_eq!(add(Kind::Offer, "digits", 2), "digits");
        assert_eq!(add(Kind::Dataset, "digits", 3), "digits-2", "models and datasets share their names");
        assert_eq!(add(Kind::Offer, "digits", 4), "digits-2");
        assert_eq!(add(Kind::Wallet, "ada", 5), "ada");
        assert_eq!(here.find(Wanted::Asset, "digits"), Ok(address(1)));
        assert_eq!(here.find(Wanted::Offer, "digits"), Ok(address(2)));
        assert_eq!(here.find(Wanted::Offer, LAST), Ok(address(4)));
        assert_eq!(here.find(Wanted::Asset, LAST), Ok(address(3)));
        assert_eq!(here.find(Wanted::Model, LAST), Ok(address(1)));
        assert_eq!(here.find(Wanted::Any, "ada"), Ok(address(5)));

        let there = book(&folder, "https://api.devnet.example");
        assert!(there.find(Wanted::Asset, "digits").is_err());
        assert_eq!(there.find(Wanted::Any, "ada"), Ok(address(5)), "a wallet is the same everywhere");
        assert_eq!(there.add(Kind::Model, "digits", address(9), &[]).unwrap().name, "digits");
        assert_eq!(book(&folder, "http://127.0.0.1:8899").find(Wanted::Asset, "digits"), Ok(address(1)));
    }

    #[test]
    fn an_offer_is_found_by_its_models_name() {
        let folder = TempDir::new().unwrap();
        let book = book(&folder, "http://127.0.0.1:8899");
        book.add(Kind::Model, "digits", address(1), &[]).unwrap();
        assert_eq!(book.find(Wanted::Offer, "digits"), Ok(address(1)));
        assert!(book.find(Wanted::Job, "digits").is_err_and(|why| why.contains("@digits is a model")));
    }

    #[test]
    fn an_unknown_name_lists_near_ones() {
        let folder = TempDir::new().unwrap();
        let book = book(&folder, "http://127.0.0.1:8899");
        assert!(
            book.find(Wanted::Asset, "digits").is_err_and(|why| why.contains("no model or dataset has a name yet"))
        );
        assert!(book.find(Wanted::Asset, LAST).is_err_and(|why| why.contains("no model or dataset")));
        for (name, byte) in [("digits", 1), ("words", 2)] {
            book.add(Kind::Model, name, address(byte), &[]).unwrap();
        }
        let why = book.find(Wanted::Asset, "digts").unwrap_err();
        assert!(why.contains("@digits") && !why.contains("@words"), "{why}");
        let why = book.find(Wanted::Asset, "zzz").unwrap_err();
        assert!(why.contains("@digits, @words"), "{why}");
    }

    #[test]
    fn names_of_what_is_gone_are_free_again() {
        let folder = TempDir::new().unwrap();
        let book = book(&folder, "http://127.0.0.1:8899");
        book.add(Kind::Model, "digits", address(1), &[]).unwrap();
        let again = book.add(Kind::Model, "digits", address(2), &[address(1)]).unwrap();
        assert_eq!(again, Remembered { name: "digits".into(), replaced: true });
        book.forget(&address(2));
        assert!(book.find(Wanted::Model, "digits").is_err());
        book.add(Kind::Offer, "digits", address(3), &[]).unwrap();
        assert_eq!(book.remove(Wanted::Offer, "digits").map(|entry| entry.address), Ok(address(3)));
        assert!(book.remove(Wanted::Offer, "digits").is_err());
    }

    #[test]
    fn only_the_latest_job_is_kept() {
        let folder = TempDir::new().unwrap();
        let book = book(&folder, "http://127.0.0.1:8899");
        for byte in 1..=5 {
            book.add(Kind::Job, "job", address(byte), &[]).unwrap();
        }
        assert_eq!(book.entries().unwrap().len(), 1);
        assert_eq!(book.find(Wanted::Job, LAST), Ok(address(5)));
    }

    #[test]
    fn a_broken_book_is_named_and_left_alone() {
        let folder = TempDir::new().unwrap();
        let book = book(&folder, "http://127.0.0.1:8899");
        book.add(Kind::Model, "digits", address(1), &[]).unwrap();
        let file = folder.path().join("provena/book.json");
        std::fs::write(&file, "[{").unwrap();
        assert!(book.find(Wanted::Model, "digits").is_err_and(|why| why.contains("book.json")));
        assert!(book.add(Kind::Model, "words", address(2), &[]).is_err_and(|why| why.contains("book.json")));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "[{");
    }

    #[test]
    fn two_programs_at_once_lose_nothing() {
        let folder = TempDir::new().unwrap();
        let threads: Vec<_> = (0..8u8)
            .map(|thread| {
                let book = book(&folder, "http://127.0.0.1:8899");
                std::thread::spawn(move || {
                    for byte in 0..10 {
                        book.add(Kind::Model, "model", address(thread * 10 + byte), &[]).unwrap();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let entries = book(&folder, "http://127.0.0.1:8899").entries().unwrap();
        let names: std::collections::HashSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!((entries.len(), names.len()), (80, 80));
    }
}
