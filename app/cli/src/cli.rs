//! The command line as clap sees it. Each command's own arguments live with the command.

use std::{env, ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use solana_pubkey::Pubkey;

use crate::{
    address,
    commands::{
        airdrop, asset, balance, book, completion, dataset, demo, deploy, infer, job, keygen, lineage, localnet, model,
        node, offer, royalty, verify,
    },
    context::DEFAULT_URL,
};

/// The variable that names the chain.
const URL_VARIABLE: &str = "PROVENA_URL";

const AFTER_HELP: &str = "\
Examples:
  provena demo                                    the whole story in one command
  provena localnet                                a chain on this machine
  provena keygen && provena airdrop 10            a wallet with play money
  provena model mint model.pvna --title Digits    own a model, called @digits
  provena infer @digits --image seven.pgm         use one, and pay its makers
  provena royalty claim @digits                   collect what your share earned

An address can be written as its name in the address book: @digits, or @last for
the latest of the kind that is asked for. `provena book` lists the names.

Environment: PROVENA_URL, PROVENA_WS, PROVENA_LOOKUP_TABLE, PROVENA_PRIORITY_FEE,
PROVENA_KEYPAIR, PROVENA_STORE, PROVENA_LOCAL, PROVENA_PROGRAMS, PROVENA_LOCALNET,
NO_COLOR, RUST_LOG.

Exit codes: 0 done; 1 it failed, or a check did not hold; 2 the command line makes no sense;
3 nobody answered in time, so the outcome is unknown; 130 stopped by ctrl-c.";

/// Own AI models and datasets, sell their use, and collect royalties, on Solana.
#[derive(Debug, Parser)]
#[command(name = "provena", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The chain's RPC address.
    #[arg(long, global = true, env = URL_VARIABLE, default_value = DEFAULT_URL, value_name = "URL")]
    pub url: String,
    /// The chain's WebSocket address; by default derived from --url (port + 1).
    #[arg(long, global = true, env = "PROVENA_WS", value_name = "URL")]
    pub ws: Option<String>,
    /// The deployment's lookup table, which long transactions use [default: found by the programs' authority].
    #[arg(long, global = true, env = "PROVENA_LOOKUP_TABLE", value_name = "ADDRESS", value_parser = address::parse)]
    pub lookup_table: Option<Pubkey>,
    /// Offered for each compute unit where the chain is busy, in millionths of a lamport; up to eight times as much near a
    /// deadline.
    #[arg(long, global = true, env = "PROVENA_PRIORITY_FEE", default_value_t = 0, value_name = "PRICE")]
    pub priority_fee: u64,
    /// Call nodes at private addresses, too; else that is done only where --url is on this machine and leads to a private
    /// chain.
    #[arg(long, global = true, env = "PROVENA_PRIVATE_NODES", value_parser = clap::builder::FalseyValueParser::new())]
    pub private_nodes: bool,
    /// The wallet that signs and pays [default: ~/.config/provena/id.json].
    #[arg(long, global = true, env = "PROVENA_KEYPAIR", value_name = "FILE")]
    pub keypair: Option<PathBuf>,
    /// Where artifacts live, first choice first: file:///folder or http(s)://host/v1 [default: under ~/.local/share].
    #[arg(long, global = true, env = "PROVENA_STORE", value_name = "URL", value_delimiter = ',')]
    pub store: Vec<String>,
    /// Answer with one JSON value on stdout.
    #[arg(long, global = true)]
    pub json: bool,
    /// Show addresses and content roots whole, however wide the lines become.
    #[arg(long, global = true)]
    pub full: bool,
    /// Say more on stderr (-vv: much more).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show everything at once: mint, sell, compute, check and get paid, on a private chain
    Demo(demo::Args),
    /// Run a chain on this machine, with Provena's programs on it
    Localnet(localnet::Args),
    /// Put the programs on a chain and initialise them
    Deploy(deploy::Args),
    /// Make a wallet
    Keygen(keygen::Args),
    /// Ask a test chain for SOL
    Airdrop(airdrop::Args),
    /// Show what an address holds
    Balance(balance::Args),
    /// Names for addresses: list, add, remove
    Book(book::Args),
    /// Print what lets a shell complete commands, options and names
    Completion(completion::Args),
    /// Import, mint and look at models
    Model(model::Args),
    /// Mint datasets
    Dataset(dataset::Args),
    /// Look at what is minted, license it, set floors
    Asset(asset::Args),
    /// Draw what an asset was made from and who earns what by it; or a bill of materials
    Lineage(lineage::Args),
    /// Sell the use of a model you own
    #[command(alias = "market")]
    Offer(offer::Args),
    /// Compute for others and earn fees
    Node(node::Args),
    /// Pay for a model's answer
    Infer(infer::Args),
    /// See how far paid jobs are, fetch their answers, take rent back
    Job(job::Args),
    /// See, collect and pass on what your shares earn
    Royalty(royalty::Args),
    /// Check a receipt: who computed what, for which payment
    Verify(verify::Args),
}

/// The chain's RPC address as a command line names it, found before the line is parsed: what its names stand for
/// depends on the chain.
pub(crate) fn url(arguments: &[OsString]) -> String {
    let told = flag(arguments, "--url");
    told.or_else(|| env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty())).unwrap_or_else(|| DEFAULT_URL.to_owned())
}

/// The last value of an option, as it was typed.
fn flag(arguments: &[OsString], name: &str) -> Option<String> {
    let mut found = None;
    let mut texts = arguments.iter().map(|argument| argument.to_str().unwrap_or_default()).peekable();
    while let Some(text) = texts.next() {
        let joined = text.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
        let apart = if text == name { texts.peek().copied() } else { None };
        found = joined.or(apart).map(ToOwned::to_owned).or(found);
    }
    found
}

impl Cli {
    /// Whether this is a service, which sets up its own log.
    pub(crate) fn is_service(&self) -> bool {
        matches!(&self.command, Command::Node(args) if args.is_service())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_found_wherever_it_is_named() {
        let found = |line: &[&str]| url(&line.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(found(&["provena", "--url", "http://a", "offer", "list"]), "http://a");
        assert_eq!(found(&["provena", "offer", "list", "--url=http://b"]), "http://b");
        assert_eq!(found(&["provena", "offer", "list", "--url"]), DEFAULT_URL);
    }
}
