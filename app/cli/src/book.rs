//! The address book: names for what one made or used, so that no address has to be copied.
//!
//! It is one JSON file beside the wallet. Names belong to a chain, by its genesis hash, wallets' names to all; models and
//! datasets, offers, jobs and wallets have names of their own, so that `@digits` is a model to `offer create` and its offer
//! to `infer`. `@last` is the latest of the kind that is asked for. Finding a name needs no network: where the chain cannot be
//! asked which it is, it is the one that answered last at `--url`.

pub(crate) mod arguments;
pub(crate) mod chains;
mod entry;
mod file;
pub(crate) mod names;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use solana_pubkey::Pubkey;

use file::Content;

pub(crate) use entry::{Entry, Kind, Wanted};

/// The latest of a kind.
pub(crate) const LAST: &str = "last";

/// The names that hold for one chain.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    /// Where it is kept; none without a home folder.
    file: Option<PathBuf>,
    /// The chain's RPC address.
    url: String,
    /// The chain's genesis hash, once it has said it.
    met: Arc<OnceLock<String>>,
}

/// What became of an address that was to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    /// The name, without its `@`.
    pub name: String,
    /// Whether an older entry had to give the name up.
    pub replaced: bool,
}

/// The names of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfChain {
    /// Its genesis hash; where nobody has asked it yet, its RPC address.
    pub genesis: String,
    /// Where it answered last.
    pub url: String,
    /// Whether another chain answers there now.
    pub gone: bool,
    /// The oldest first.
    pub entries: Vec<Entry>,
}

impl Book {
    /// The book in `file`, for the chain whose RPC address this is. Nothing is read yet.
    pub(crate) fn new(file: Option<PathBuf>, url: &str) -> Self {
        Self { file, url: url.to_owned(), met: Arc::default() }
    }

    /// The chain's RPC address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether the chain itself said which it is.
    pub(crate) fn has_met(&self) -> bool {
        self.met.get().is_some()
    }

    /// Tells which chain answers. That it cannot be written down costs nothing but the question the next time.
    pub(crate) fn meet(&self, genesis: &Pubkey) {
        if self.met.set(genesis.to_string()).is_err() {
            return;
        }
        // A book without names needs to know no chain.
        let Some(file) = self.file.as_deref().filter(|file| file.exists()) else { return };
        if let Err(error) = file::change(file, |content| self.note(content)) {
            tracing::debug!(error, "the address book does not know the chain");
        }
    }

    /// The names that hold here, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read, in words.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, String> {
        let content = self.content()?;
        let here = self.here(&content);
        Ok(content.names.into_iter().filter(|entry| entry.holds_on(&here)).collect())
    }

    /// The names of all other chains, by chain.
    ///
    /// # Errors
    /// The file cannot be read, in words.
    pub(crate) fn elsewhere(&self) -> Result<Vec<OfChain>, String> {
        let content = self.content()?;
        let here = self.here(&content);
        let mut chains: Vec<OfChain> = Vec::new();
        for entry in content.names.iter().filter(|entry| !entry.holds_on(&here)) {
            let genesis = entry.chain.clone().unwrap_or_default();
            match chains.iter_mut().find(|chain| chain.genesis == genesis) {
                Some(chain) => chain.entries.push(entry.clone()),
                None => {
                    let (url, there) = content.place(&genesis).unwrap_or((&genesis, true));
                    let (url, gone) = (url.to_owned(), !there);
                    chains.push(OfChain { genesis, url, gone, entries: vec![entry.clone()] });
                }
            }
        }
        Ok(chains)
    }

    /// The address of a name (without its `@`).
    ///
    /// # Errors
    /// There is no such name, in words that list near ones; or the file cannot be read.
    pub(crate) fn find(&self, wanted: Wanted, name: &str) -> Result<Pubkey, String> {
        let found = names::find(&self.entries()?, wanted, name);
        found.map(|entry| entry.address).map_err(|why| {
            let before = self.elsewhere().unwrap_or_default().into_iter().filter(|chain| chain.gone);
            let mut before = before.filter(|chain| chains::address(&chain.url) == chains::address(&self.url));
            if !before.any(|chain| names::find(&chain.entries, wanted, name).is_ok()) {
                return why;
            }
            format!(
                "@{name} is a name on a chain that is gone: another one answers at {} now, and there it names nothing; \
                 `provena book --all` shows the names of chains that are gone, and `provena book forget` strikes them out",
                self.url
            )
        })
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
        file::change(file, |content| {
            self.note(content);
            let here = self.here(content);
            let (mine, others): (Vec<Entry>, Vec<Entry>) =
                std::mem::take(&mut content.names).into_iter().partition(|entry| entry.holds_on(&here));
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
            let chain = kind.chain(&here);
            mine.push(Entry { name: name.clone(), kind, address, chain });
            content.names = others.into_iter().chain(mine).collect();
            Remembered { name, replaced }
        })
    }

    /// Strikes a name out; returns what it named.
    ///
    /// # Errors
    /// There is no such name, or the file cannot be read or written, in words.
    pub(crate) fn remove(&self, wanted: Wanted, name: &str) -> Result<Entry, String> {
        let file = self.file.as_deref().ok_or("there is no home folder for the address book")?;
        file::change(file, |content| {
            let here = self.here(content);
            let mine: Vec<Entry> = content.names.iter().filter(|entry| entry.holds_on(&here)).cloned().collect();
            let found = names::exact(&mine, wanted, name)?;
            content.names.retain(|entry| *entry != found);
            Ok(found)
        })?
    }

    /// Strikes out every name of an address that is no more. That it fails costs only a stale name.
    pub(crate) fn forget(&self, address: &Pubkey) {
        let Some(file) = self.file.as_deref().filter(|file| file.exists()) else { return };
        if let Err(error) = file::change(file, |content| content.names.retain(|entry| entry.address != *address)) {
            tracing::debug!(error, "a name stays in the address book");
        }
    }

    /// Strikes out the names of chains that are gone: where they answered another one does. Returns them.
    ///
    /// # Errors
    /// The file cannot be read or written, in words.
    pub(crate) fn forget_gone(&self) -> Result<Vec<Entry>, String> {
        let Some(file) = self.file.as_deref().filter(|file| file.exists()) else { return Ok(Vec::new()) };
        file::change(file, |content| {
            self.note(content);
            let gone = |genesis: &str| content.is_gone(genesis);
            let (out, left) = content.names.iter().cloned().partition(|entry| entry.chain.as_deref().is_some_and(gone));
            content.names = left;
            let kept = content.clone();
            content.chains.retain(|seen| !kept.is_gone(&seen.genesis));
            out
        })
    }

    fn content(&self) -> Result<Content, String> {
        self.file.as_deref().map_or(Ok(Content::default()), file::read)
    }

    /// What names of this chain carry: its genesis hash, that of the chain that answered here last, or the address itself as long
    /// as nobody has asked.
    fn here(&self, content: &Content) -> String {
        let url = chains::address(&self.url);
        let known = self.met.get().map(String::as_str).or_else(|| content.latest(&url)).map(ToOwned::to_owned);
        known.unwrap_or(url)
    }

    fn note(&self, content: &mut Content) {
        if let Some(genesis) = self.met.get() {
            content.note(&chains::address(&self.url), genesis);
        }
    }
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
    fn a_name_of_a_chain_that_is_gone_is_said_to_be_one() {
        let folder = TempDir::new().unwrap();
        let at = |genesis: u8, url: &str| {
            let book = book(&folder, url);
            book.meet(&address(genesis));
            book
        };
        let url = "http://127.0.0.1:8899";
        at(101, url).add(Kind::Model, "digits", address(1), &[]).unwrap();
        assert_eq!(at(101, "http://elsewhere:1").find(Wanted::Model, "digits"), Ok(address(1)), "it is the same chain");
        assert_eq!(
            book(&folder, url).find(Wanted::Model, "digits"),
            Ok(address(1)),
            "nobody asked: the last one is meant"
        );

        // Another chain answers there, and has a name of its own.
        let anew = at(102, url);
        let why = anew.find(Wanted::Model, "digits").unwrap_err();
        assert!(!why.contains("gone"), "the first one still answers elsewhere: {why}");
        at(103, "http://elsewhere:1");
        for name in ["digits", LAST] {
            let why = anew.find(Wanted::Model, name).unwrap_err();
            assert!(why.contains("a chain that is gone") && why.contains("book forget"), "{why}");
        }
        assert!(anew.remove(Wanted::Model, "digits").is_err());
        assert_eq!(anew.add(Kind::Model, "digits", address(2), &[]).unwrap().name, "digits");
        assert_eq!(anew.find(Wanted::Model, "digits"), Ok(address(2)));
        let elsewhere = anew.elsewhere().unwrap();
        assert_eq!((elsewhere.len(), elsewhere[0].gone, elsewhere[0].entries[0].address), (1, true, address(1)));
        assert_eq!(at(101, url).find(Wanted::Model, "digits"), Ok(address(1)), "it came back");

        at(102, url);
        anew.add(Kind::Wallet, "ada", address(7), &[]).unwrap();
        let forgotten = anew.forget_gone().unwrap();
        assert_eq!(forgotten.iter().map(|entry| entry.address).collect::<Vec<_>>(), [address(1)]);
        assert_eq!((anew.elsewhere(), anew.entries().unwrap().len()), (Ok(Vec::new()), 2));
    }

    #[test]
    fn names_that_earlier_versions_wrote_are_those_of_the_first_chain_that_answers() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("provena/book.json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let entry = |name: &str, byte| {
            format!(
                r#"{{"name":"{name}","kind":"model","address":"{}","chain":"http://127.0.0.1:8899"}}"#,
                address(byte)
            )
        };
        std::fs::write(&file, format!("[{},{}]", entry("digits", 1), entry("words", 2))).unwrap();
        let first = book(&folder, "http://localhost:8899");
        assert_eq!(first.find(Wanted::Model, "digits"), Ok(address(1)));
        first.meet(&address(101));
        assert_eq!(first.find(Wanted::Model, "words"), Ok(address(2)));
        let second = book(&folder, "http://localhost:8899");
        second.meet(&address(102));
        assert!(second.find(Wanted::Model, "words").is_err_and(|why| why.contains("gone")));
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
