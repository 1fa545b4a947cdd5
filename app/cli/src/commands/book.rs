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
    book::{Entry, Kind, Wanted, names},
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
    after_help = "Examples:\n  provena book                            every name that holds on this chain\n  provena book add ada ADDRESS            from now on @ada is that wallet\n  provena book remove @digits\n\nMinting, `offer create`, `infer` and `keygen` write down what they made. @last is\nthe latest of the kind that is asked for."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the names (as `provena book` alone does)
    List,
    /// Give an address a name
    #[command(
        after_help = "Examples:\n  provena book add ada ADDRESS\n  provena book add reader ADDRESS --kind offer       when the chain cannot be asked what it is"
    )]
    Add(Add),
    /// Strike a name out; what it names stays as it is
    #[command(after_help = "Examples:\n  provena book remove @digits\n  provena book remove @digits --kind offer")]
    Remove(Remove),
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
struct Listed(Vec<Entry>);

impl Report for Listed {
    fn text(&self, style: Style) -> String {
        if self.0.is_empty() {
            return "No name holds on this chain yet. Minting gives names; `provena book add` does, too.".into();
        }
        let mut table = Table::new(&[("name", Align::Left), ("is a", Align::Left), ("address", Align::Address)]);
        for entry in &self.0 {
            table.row([format!("@{}", entry.name), entry.kind.to_string(), entry.address.to_string()]);
        }
        table.text(style)
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
        None | Some(Verb::List) => {
            let entries = context.book.entries().map_err(|why| anyhow!(why))?;
            context.output.data(&Listed(entries))
        }
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
