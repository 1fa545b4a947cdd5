//! What every command needs, resolved once: addresses, wallet, store, output.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Result;
use provena_client::{
    chain::{Budget, RpcChain, RpcOptions, lookup},
    keys,
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;

use crate::{cli::Global, deploy, failure::Failure, output::Output};

/// The resolved global options.
pub(crate) struct Context<'a> {
    /// Where to write.
    pub output: &'a Output,
    url: String,
    ws: Option<String>,
    lookup_table: Option<Pubkey>,
    priority_fee: u64,
    keypair: PathBuf,
    store: Vec<String>,
    verbose: u8,
}

impl<'a> Context<'a> {
    /// Resolves defaults.
    ///
    /// # Errors
    /// There is no home folder and no explicit path.
    pub(crate) fn new(global: Global, output: &'a Output) -> Result<Self> {
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
        let Global { url, ws, lookup_table, priority_fee, verbose, .. } = global;
        Ok(Self { output, url, ws, lookup_table, priority_fee, keypair, store, verbose })
    }

    /// The chain's RPC address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A connection to the chain; nothing is sent yet.
    ///
    /// # Errors
    /// The address is no URL.
    pub(crate) fn chain(&self) -> Result<RpcChain> {
        let options = RpcOptions { ws_url: self.ws.clone(), ..RpcOptions::new(&self.url) };
        let chain = RpcChain::new(&options).map_err(|error| Failure::usage(error.to_string()))?;
        Ok(chain.with_budget(Budget::rising(self.priority_fee)))
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

    /// Where receipts are kept unless the person names a place.
    ///
    /// # Errors
    /// There is no home folder.
    pub(crate) fn receipts_folder(&self) -> Result<PathBuf> {
        Ok(folder("XDG_DATA_HOME", ".local/share", "--receipt")?.join("provena/receipts"))
    }

    /// Where the keys of unfinished mintings are kept: beside the wallet.
    pub(crate) fn pending_folder(&self) -> PathBuf {
        self.keypair.parent().unwrap_or(Path::new(".")).join("pending")
    }
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
