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
    /// Whether it answered at this book's address once.
    was_here: bool,
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
                    let was_here = content.was_at(&genesis, &chains::address(&self.url));
                    chains.push(OfChain { genesis, url, gone, was_here, entries: vec![entry.clone()] });
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
        found.map(|entry| entry.address).or_else(|why| {
            let mut before = self.elsewhere().unwrap_or_default().into_iter().filter(|chain| chain.gone && chain.was_here);
            let Some(gone) = before.find_map(|chain| names::find(&chain.entries, wanted, name).ok()) else {
                return Err(why);
            };
            // What is kept of a job outlives its chain, and whoever reads it says so.
            if wanted == Wanted::Job {
                return Ok(gone.address);
            }
            Err(format!(
                "@{name} is a name on a chain that is gone: another one answers at {} now, and there it names nothing; \
                 `provena book --all` shows the names of chains that are gone, and `provena book forget` strikes them out",
                self.url
            ))
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
mod tests;
