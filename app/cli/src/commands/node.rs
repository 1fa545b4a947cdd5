//! `provena node`: computing for others.

mod account;
mod close;
mod config;
mod doctor;
mod health;
mod list;
mod register;
mod run;
mod sample;
mod stake;
mod status;
mod update;

use anyhow::Result;
use clap::Subcommand;

use crate::{context::Context, stop};

pub(crate) use register::register;

/// Arguments of `provena node`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Register the wallet as a node, with a stake that it loses when it lets jobs down
    Register(register::Args),
    /// Change where the wallet's node answers, or how much it does at once
    Update(update::Args),
    /// Add to the stake of the wallet's node
    #[command(after_help = "Examples:\n  provena node stake 2")]
    Stake(stake::Args),
    /// Take stake out of the wallet's node that no job holds
    #[command(after_help = "Examples:\n  provena node withdraw 0.5\n  provena node withdraw all")]
    Withdraw(stake::Withdraw),
    /// End the wallet's node: stake and rent come back
    Close(close::Args),
    /// Show a node: its stake, what jobs hold of it, and how it did
    Status(status::Args),
    /// Check everything that a node needs to earn, and say what to do where something is missing
    Doctor(doctor::Args),
    /// List the nodes on this chain
    #[command(after_help = "Examples:\n  provena node list\n  provena node list --full")]
    List,
    /// Run a node: watch for jobs, compute, answer, get paid
    Run(run::Args),
    /// Print a commented config file, with the chain, the wallet and the store of this command line in it
    #[command(
        after_help = "Examples:\n  provena node sample-config > node.toml\n  provena node sample-config --keypair node.json > node.toml"
    )]
    SampleConfig,
}

impl Args {
    /// Whether this is the service, which sets up its own log.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self.verb, Verb::Run(_))
    }
}

/// Carries out the verb.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Register(args) => stop::ends(register::run(args, context), stop::SENT).await,
        Verb::Update(args) => stop::ends(update::run(args, context), stop::SENT).await,
        Verb::Stake(args) => stop::ends(stake::add(args, context), stop::SENT).await,
        Verb::Withdraw(args) => stop::ends(stake::withdraw(args, context), stop::SENT).await,
        Verb::Close(args) => stop::ends(close::run(args, context), stop::SENT).await,
        Verb::Status(args) => status::run(args, context).await,
        Verb::Doctor(args) => doctor::run(args, context).await,
        Verb::List => list::run(context).await,
        Verb::Run(args) => run::run(args, context).await,
        Verb::SampleConfig => context.output.line(sample::sample(context).await?.trim_end()),
    }
}
