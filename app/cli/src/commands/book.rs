//! `provena book`: the address book.

use anchor_lang::Discriminator as _;
use anyhow::{Result, anyhow};
use clap::Subcommand;
use provena_client::{asset, chain::Chain};
use provena_market::state::{Job, Offer};
use provena_registry::state::AssetKind;
use serde::Serialize;
use solana_pubkey::Pubkey;

use crate::{
    address,
    book::{Entry, Kind, OfChain, Wanted, names},
    context::Context,
    failure::Failure,
    output::{
        Report,
        style::Style,
        table::{Align, Table, facts},
    },
};

/// Arguments of `provena book`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  provena book                            every name that holds on this chain\n  provena book --all                      also those of other chains, and of chains that are gone\n  provena book add ada ADDRESS            from now on @ada is that wallet\n  provena book remove @digits\n\nMinting, `offer create`, `infer` and `keygen` write down what they made. @last is\nthe latest of the kind that is asked for. Names belong to a chain, by its genesis hash: a private\nchain that is started anew is another one, and has none of the old one's names."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Also the names of other chains, and of chains that are gone.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the names (as `provena book` alone does)
    List(List),
    /// Give an address a name
    #[command(
        after_help = "Examples:\n  provena book add ada ADDRESS\n  provena book add reader ADDRESS --kind offer       when the chain cannot be asked what it is"
    )]
    Add(Add),
    /// Strike a name out; what it names stays as it is
    #[command(after_help = "Examples:\n  provena book remove @digits\n  provena book remove @digits --kind offer")]
    Remove(Remove),
    /// Strike out the names of chains that are gone: another one answers now where they did
    #[command(after_help = "Examples:\n  provena book --all        which they are\n  provena book forget")]
    Forget,
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The name, with its @ or without.
    #[arg(value_name = "NAME", value_parser = names::parse)]
    name: String,
    /// What it names.
    #[arg(value_name = "ADDRESS", value_parser = address::parse)]
    address: Pubkey,
    /// What the address is [default: the chain is asked].
    #[arg(long, value_enum)]
    kind: Option<Kind>,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// The name, with its @ or without.
    #[arg(value_name = "NAME", value_parser = names::parse)]
    name: String,
    /// Which, where several kinds have the name.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Listed {
    entries: Vec<Entry>,
    /// Those of these names that are other chains'.
    #[serde(skip)]
    others: Vec<OfChain>,
}

impl Report for Listed {
    fn text(&self, style: Style) -> String {
        let here: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|entry| !self.others.iter().any(|chain| chain.entries.contains(entry)))
            .collect();
        let mut parts = vec![match here.is_empty() {
            true => "No name holds on this chain yet. Minting gives names; `provena book add` does, too.".to_owned(),
            false => table(here, style),
        }];
        for chain in &self.others {
            let whose = match chain.gone {
                true => format!("of a chain that is gone from {}", chain.url),
                false => format!("of the chain at {}", chain.url),
            };
            parts.push(format!("{}\n{}", style.strong(&whose), table(&chain.entries, style)));
        }
        parts.join("\n\n")
    }
}

fn table<'a>(entries: impl IntoIterator<Item = &'a Entry>, style: Style) -> String {
    let mut table = Table::new(&[("name", Align::Left), ("is a", Align::Left), ("address", Align::Address)]);
    for entry in entries {
        table.row([format!("@{}", entry.name), entry.kind.to_string(), entry.address.to_string()]);
    }
    table.text(style)
}

#[derive(Serialize)]
#[serde(transparent)]
struct Forgotten(Vec<Entry>);

impl Report for Forgotten {
    fn text(&self, style: Style) -> String {
        match self.0.as_slice() {
            [] => "No name is one of a chain that is gone.".into(),
            entries => format!("{}\n{}", style.strong("struck out"), table(entries, style)),
        }
    }
}

#[derive(Serialize)]
struct Changed {
    #[serde(flatten)]
    entry: Entry,
    #[serde(skip)]
    done: &'static str,
}

impl Report for Changed {
    fn text(&self, style: Style) -> String {
        let Entry { name, kind, address, .. } = &self.entry;
        let rows = [(self.done, style.strong(&format!("@{name}"))), ("is a", kind.to_string())];
        facts(&[&rows[..], &[("address", address.to_string())]].concat(), style)
    }
}

/// Carries out the verb.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        None => list(&args.list, context),
        Some(Verb::List(args)) => list(&args, context),
        Some(Verb::Forget) => context.output.data(&Forgotten(context.book.forget_gone().map_err(|why| anyhow!(why))?)),
        Some(Verb::Add(args)) => add(args, context).await,
        Some(Verb::Remove(Remove { name, kind })) => {
            let wanted = kind.map_or(Wanted::Any, Wanted::from);
            let entry = context.book.remove(wanted, &name).map_err(|why| {
                Failure::failed(why).hint("provena book   lists the names that hold on the chain at --url")
            })?;
            context.output.data(&Changed { entry, done: "removed" })
        }
    }
}

fn list(args: &List, context: &Context<'_>) -> Result<()> {
    let mut entries = context.book.entries().map_err(|why| anyhow!(why))?;
    let mut others = context.book.elsewhere().map_err(|why| anyhow!(why))?;
    let gone: usize = others.iter().filter(|chain| chain.gone).map(|chain| chain.entries.len()).sum();
    if !context.book.has_met() {
        let url = context.url();
        context.output.note(&format!("No chain answers at {url} now; these are the names of the one that did last."));
    }
    if args.all {
        entries.extend(others.iter().flat_map(|chain| chain.entries.clone()));
    } else {
        others.clear();
        if gone > 0 {
            let names = if gone == 1 {
                "One name is of a chain that is".to_owned()
            } else {
                format!("{gone} names are of chains that are")
            };
            context.output.note(&format!("{names} gone: `provena book --all` shows, `provena book forget` forgets."));
        }
    }
    context.output.data(&Listed { entries, others })
}

async fn add(args: Add, context: &Context<'_>) -> Result<()> {
    let Add { name, address, kind } = args;
    let kind = match kind {
        Some(kind) => kind,
        None => kind_of(&context.chain()?, &address).await?,
    };
    let taken = context.book.find(kind.into(), &name).is_ok_and(|other| other != address);
    if taken {
        return Err(Failure::failed(format!("@{name} is taken"))
            .hint(format!("choose another name, or: provena book remove @{name}"))
            .into());
    }
    context.book.add(kind, &name, address, &[]).map_err(|why| anyhow!(why))?;
    let entry = context.book.of(&address).ok().flatten().ok_or_else(|| anyhow!("the name was not written down"))?;
    context.output.data(&Changed { entry, done: "added" })
}

/// What an address is, by what lies there.
async fn kind_of(chain: &dyn Chain, address: &Pubkey) -> Result<Kind> {
    if let Some(found) = asset::find(chain, address).await? {
        let model = found.asset.kind() == Ok(AssetKind::Model);
        return Ok(if model { Kind::Model } else { Kind::Dataset });
    }
    let Some(account) = chain.account(address).await? else { return Ok(Kind::Wallet) };
    let is = |discriminator: &[u8]| account.owner == provena_market::ID && account.data.starts_with(discriminator);
    Ok(match () {
        () if is(Offer::DISCRIMINATOR) => Kind::Offer,
        () if is(Job::DISCRIMINATOR) => Kind::Job,
        () => Kind::Wallet,
    })
}
