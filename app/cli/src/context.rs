//! What every command needs, resolved once: addresses, wallet, store, output.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Result;
use provena_client::{
    chain::{Budget, Chain, ChainReader, RpcChain, RpcOptions, lookup},
    keys,
    reach::Reach,
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;

use crate::{
    book::{Book, Kind, LAST, Wanted, names},
    cli::Global,
    deploy,
    failure::Failure,
    output::Output,
};

/// Where a chain of one's own answers.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:8899";

/// The resolved global options.
pub(crate) struct Context<'a> {
    /// Where to write.
    pub output: &'a Output,
    /// The names of addresses on this chain.
    pub book: &'a Book,
    url: String,
    ws: Option<String>,
    lookup_table: Option<Pubkey>,
    priority_fee: u64,
    keypair: PathBuf,
    store: Vec<String>,
    verbose: u8,
    private_nodes: bool,
}

impl<'a> Context<'a> {
    /// Resolves defaults.
    ///
    /// # Errors
    /// There is no home folder and no explicit path.
    pub(crate) fn new(global: Global, book: &'a Book, output: &'a Output) -> Result<Self> {
        let keypair = match global.keypair.clone() {
            Some(path) => path,
            None => folder("XDG_CONFIG_HOME", ".config", "--keypair")?.join("provena/id.json"),
        };
        let store = if global.store.is_empty() {
            let folder = folder("XDG_DATA_HOME", ".local/share", "--store")?.join("provena/store");
            vec![format!("file://{}", folder.display())]
        } else {
            global.store.clone()
        };
        let Global { url, ws, lookup_table, priority_fee, verbose, private_nodes, .. } = global;
        Ok(Self { output, book, url, ws, lookup_table, priority_fee, keypair, store, verbose, private_nodes })
    }

    /// The chain's RPC address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Writes an address down in the book, under `chosen` or a name made of `title`, and returns the name with its `@`.
    /// A name whose old bearer is no more on the chain is free. A book that cannot be written is a remark: what was made
    /// is there all the same.
    pub(crate) async fn remember(
        &self,
        chain: &dyn Chain,
        kind: Kind,
        (title, chosen): (&str, Option<&str>),
        address: &Pubkey,
    ) -> Option<String> {
        self.meet(chain).await;
        let name = chosen.map_or_else(|| names::of_title(title, kind), ToOwned::to_owned);
        let gone = self.gone(chain, &name).await;
        match self.book.add(kind, &name, *address, &gone) {
            Ok(remembered) => Some(format!("@{}", remembered.name)),
            Err(why) => {
                self.output.note(&why);
                None
            }
        }
    }

    /// The option that a proposed minting needs on a chain of this machine, where the store is a folder: a space and
    /// `--local`, or nothing.
    pub(crate) fn local(&self) -> &'static str {
        let private = is_local(&self.url);
        let folder = self.store.first().is_some_and(|store| store.starts_with("file:"));
        let said = env::var_os("PROVENA_LOCAL").is_some();
        if private && folder && !said { " --local" } else { "" }
    }

    /// Writes a job down as the latest, so that `@last` is it; returns which was it before.
    pub(crate) async fn note_job(&self, chain: &dyn Chain, job: &Pubkey) -> Option<Pubkey> {
        self.meet(chain).await;
        let before = self.book.find(Wanted::Job, LAST).ok();
        if let Err(why) = self.book.add(Kind::Job, &Kind::Job.to_string(), *job, &[]) {
            self.output.note(&why);
        }
        before
    }

    /// The address that has a name, unless it is not on the chain any more.
    pub(crate) async fn taken(&self, chain: &dyn Chain, kind: Kind, name: &str) -> Option<Pubkey> {
        self.meet(chain).await;
        let gone = self.gone(chain, name).await;
        let entries = self.book.entries().unwrap_or_default();
        let taken = entries.iter().find(|entry| entry.name == name && entry.kind.shares_names_with(kind))?;
        (!gone.contains(&taken.address)).then_some(taken.address)
    }

    /// Tells the book which chain its names are of. Where the chain does not say, it is the one that answered last.
    async fn meet<C: ChainReader + ?Sized>(&self, chain: &C) {
        if !self.book.has_met()
            && let Ok(genesis) = chain.cluster().await
        {
            self.book.meet(&Pubkey::from(genesis));
        }
    }

    /// The bearers of a name, or of it with a number, that are not on the chain any more: this happens to private chains,
    /// which begin anew.
    async fn gone(&self, chain: &dyn Chain, name: &str) -> Vec<Pubkey> {
        let alike = |entry: &crate::book::Entry| {
            let number = entry.name.strip_prefix(name).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
            let numbered = number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            numbered && entry.kind != Kind::Wallet
        };
        let entries = self.book.entries().unwrap_or_default();
        let addresses: Vec<Pubkey> = entries.iter().filter(|entry| alike(entry)).map(|entry| entry.address).collect();
        let Ok(found) = chain.accounts(&addresses).await else { return Vec::new() };
        addresses.into_iter().zip(found).filter(|(_, found)| found.is_none()).map(|(address, _)| address).collect()
    }

    /// How an address is written in a command that a person can copy: by its name where it has one.
    pub(crate) fn written(&self, address: &Pubkey) -> String {
        match self.book.of(address) {
            Ok(Some(entry)) => format!("@{}", entry.name),
            _ => address.to_string(),
        }
    }

    /// A connection to the chain; nothing is sent yet.
    ///
    /// # Errors
    /// The address is no URL.
    pub(crate) fn chain(&self) -> Result<RpcChain> {
        let options = RpcOptions { ws_url: self.ws.clone(), ..RpcOptions::new(&self.url) };
        let chain = RpcChain::new(&options).map_err(|error| Failure::usage(error.to_string()))?;
        let chain = chain.with_budget(Budget::rising(self.priority_fee));
        Ok(if self.private_nodes { chain.with_reach(Reach::Private) } else { chain })
    }

    /// As [`Context::chain`], for transactions that may be too long without the deployment's lookup table.
    ///
    /// # Errors
    /// The address is no URL, or the table that the person named is none.
    pub(crate) async fn chain_with_tables(&self) -> Result<RpcChain> {
        let chain = self.chain()?;
        let tables = match &self.lookup_table {
            Some(table) => vec![lookup::fetch(&chain, table).await?],
            None => deploy::tables(&chain).await,
        };
        Ok(chain.with_lookup_tables(tables))
    }

    /// Where the wallet's key file is.
    pub(crate) fn keypair_path(&self) -> &Path {
        &self.keypair
    }

    /// The wallet that signs and pays.
    ///
    /// # Errors
    /// There is no key file, it is broken, or others can write it.
    pub(crate) fn wallet(&self) -> Result<Keypair> {
        let key = keys::read(&self.keypair)?;
        if let Some(warning) = keys::readable_by_others(&self.keypair) {
            self.output.note(&format!("warning: {warning}"));
        }
        Ok(key)
    }

    /// Whether the person asked to hear more.
    pub(crate) fn verbose(&self) -> bool {
        self.verbose > 0
    }

    /// The addresses of the content-addressed stores, first choice first.
    pub(crate) fn store_urls(&self) -> &[String] {
        &self.store
    }

    /// A command that works as it stands: `provena`, these words, and whichever of `--url`, `--ws`, `--keypair` and `--store`
    /// the person gave on this command line.
    pub(crate) fn command(&self, words: &str) -> String {
        format!("provena {words}{}", self.output.options())
    }

    /// Where paid jobs are kept: what was asked, what was answered, and the receipts.
    ///
    /// # Errors
    /// There is no home folder.
    pub(crate) fn jobs_folder(&self) -> Result<PathBuf> {
        Ok(folder("XDG_DATA_HOME", ".local/share", "XDG_DATA_HOME=FOLDER")?.join("provena/jobs"))
    }

    /// Where receipts are kept unless the person names a place.
    ///
    /// # Errors
    /// There is no home folder.
    pub(crate) fn receipts_folder(&self) -> Result<PathBuf> {
        Ok(folder("XDG_DATA_HOME", ".local/share", "--receipt")?.join("provena/receipts"))
    }

    /// Where the documents of NFTs are written that their owner puts on the web.
    ///
    /// # Errors
    /// There is no home folder.
    pub(crate) fn documents_folder(&self) -> Result<PathBuf> {
        Ok(folder("XDG_DATA_HOME", ".local/share", "--store")?.join("provena/documents"))
    }

    /// Where the keys of unfinished mintings are kept: beside the wallet.
    pub(crate) fn pending_folder(&self) -> PathBuf {
        self.keypair.parent().unwrap_or(Path::new(".")).join("pending")
    }
}

/// Whether a chain's address names this machine.
pub(crate) fn is_local(url: &str) -> bool {
    ["//127.0.0.1", "//localhost", "//[::1]"].iter().any(|host| url.contains(host))
}

/// Where the address book is kept; none without a home folder.
pub(crate) fn book_file() -> Option<PathBuf> {
    folder("XDG_CONFIG_HOME", ".config", "").ok().map(|folder| folder.join("provena/book.json"))
}

/// The options that stand on the command line and not in the environment, each behind a space.
pub(crate) fn given(global: &Global, variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let Global { url, ws, keypair, store, .. } = global;
    let keypair = keypair.as_ref().map(|path| path.display().to_string());
    let store = (!store.is_empty()).then(|| store.join(","));
    let is_default = url == DEFAULT_URL && variable("PROVENA_URL").is_none();
    let options = [
        ("--url", "PROVENA_URL", Some(url.clone()).filter(|_| !is_default)),
        ("--ws", "PROVENA_WS", ws.clone()),
        ("--keypair", "PROVENA_KEYPAIR", keypair),
        ("--store", "PROVENA_STORE", store),
    ];
    let told = options.into_iter().filter(|(_, name, value)| *value != variable(name));
    told.filter_map(|(option, _, value)| Some(format!(" {option} {}", quoted(&value?)))).collect()
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/:._-,@%+=".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn folder(variable: &str, under_home: &str, option: &str) -> Result<PathBuf> {
    if let Some(folder) = env::var_os(variable).filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(folder));
    }
    let home = env::var_os("HOME").filter(|value| !value.is_empty());
    home.map(|home| Path::new(&home).join(under_home)).ok_or_else(|| {
        Failure::usage("there is no home folder (HOME is not set)").hint(format!("name a place with {option}")).into()
    })
}

#[cfg(test)]
mod unit {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn proposed_commands_repeat_what_was_given_on_the_command_line_only() {
        let options = |words: &[&str], variables: &[(&str, &str)]| {
            let words = [&["provena", "balance"], words].concat();
            let global = Cli::try_parse_from(words).expect("it is a command line").global;
            let find =
                |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            given(&global, find).concat()
        };
        assert_eq!(options(&["--url", DEFAULT_URL], &[]), "");
        assert_eq!(options(&["--url", "http://a:1"], &[]), " --url http://a:1");
        assert_eq!(options(&["--url", "http://a:1"], &[("PROVENA_URL", "http://a:1")]), "");
        assert_eq!(options(&["--url", DEFAULT_URL], &[("PROVENA_URL", "http://a:1")]), format!(" --url {DEFAULT_URL}"));
        assert_eq!(options(&["--keypair", "my key's.json"], &[]), r" --keypair 'my key'\''s.json'");
        assert_eq!(options(&["--store", "file:///a,file:///b"], &[]), " --store file:///a,file:///b");
    }
}
