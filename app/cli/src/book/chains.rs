//! Which chain a name belongs to: the one of a genesis hash, wherever it answers. An address may lead to another chain tomorrow, as
//! that of a private chain does which was started anew.

use std::{ffi::OsString, time::Duration};

use provena_client::chain::{ChainReader as _, RpcChain, RpcOptions};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{Book, file::Content};

/// The longest that a chain is asked which it is. Where it does not say, the one that answered last at its address is meant.
const PATIENCE: Duration = Duration::from_secs(2);

/// A chain that answered at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    /// Where, as [`address`] writes it.
    pub url: String,
    /// Its genesis hash.
    pub genesis: String,
}

/// An RPC address as the book names it: this machine has one name.
pub(super) fn address(url: &str) -> String {
    url.trim_end_matches('/').to_lowercase().replacen("//localhost", "//127.0.0.1", 1)
}

/// Whether a command line has names in it, or is about them.
pub(crate) fn are_named(arguments: &[OsString]) -> bool {
    let texts = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    texts.into_iter().any(|text| text.starts_with('@') || text.contains("=@") || text == "book")
}

/// Asks the chain at the book's address which it is, before names are looked up.
pub(crate) fn meet(book: &Book) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let genesis = runtime.block_on(async {
        let chain = RpcChain::new(&RpcOptions::new(book.url())).ok()?;
        tokio::time::timeout(PATIENCE, chain.cluster()).await.ok()?.ok()
    });
    runtime.shutdown_background();
    if let Some(genesis) = genesis {
        book.meet(&Pubkey::from(genesis));
    }
}

impl Content {
    /// The chain that answered last at an address.
    pub(super) fn latest(&self, url: &str) -> Option<&str> {
        self.chains.iter().rev().find(|seen| seen.url == url).map(|seen| seen.genesis.as_str())
    }

    /// Notes that a chain answers at an address. Names that were given there before anybody had asked which chain it is are its.
    pub(super) fn note(&mut self, url: &str, genesis: &str) {
        if self.latest(url) != Some(genesis) {
            let seen = Seen { url: url.to_owned(), genesis: genesis.to_owned() };
            self.chains.retain(|earlier| *earlier != seen);
            self.chains.push(seen);
        }
        for entry in self.names.iter_mut().filter(|entry| entry.chain.as_deref() == Some(url)) {
            entry.chain = Some(genesis.to_owned());
        }
    }

    /// Where a chain was seen last, and whether it is what answers there.
    pub(super) fn place(&self, genesis: &str) -> Option<(&str, bool)> {
        let places = self.chains.iter().rev().filter(|seen| seen.genesis == genesis).map(|seen| seen.url.as_str());
        let places: Vec<(&str, bool)> = places.map(|url| (url, self.latest(url) == Some(genesis))).collect();
        places.iter().find(|(_, there)| *there).or(places.first()).copied()
    }

    /// Whether a chain answered at an address once.
    pub(super) fn was_at(&self, genesis: &str, url: &str) -> bool {
        self.chains.iter().any(|seen| seen.genesis == genesis && seen.url == url)
    }

    /// Whether another chain answers wherever this one did.
    pub(super) fn is_gone(&self, genesis: &str) -> bool {
        self.place(genesis).is_some_and(|(_, there)| !there)
    }
}
