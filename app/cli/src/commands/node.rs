//! `provena node`: computing for others.

mod register;
mod run;
mod sample;

use anyhow::Result;
use clap::Subcommand;

use crate::context::Context;

pub use register::register;

/// Arguments of `provena node`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Register the wallet as a node, with a stake that it loses when it lets jobs down
    Register(register::Args),
    /// Run a node: watch for jobs, compute, answer, get paid
    Run(run::Args),
    /// Print a commented config file that fits the options given here
    #[command(after_help = "Examples:\n  provena node sample-config > node.toml")]
    SampleConfig,
}

impl Args {
    /// Whether this is the service, which sets up its own log.
    pub fn is_service(&self) -> bool {
        matches!(self.verb, Verb::Run(_))
    }
}

/// Carries out the verb.
pub async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    match args.verb {
        Verb::Register(args) => register::run(args, context).await,
        Verb::Run(args) => run::run(args, context).await,
        Verb::SampleConfig => context.output.line(sample::sample(context)?.trim_end()),
    }
}
