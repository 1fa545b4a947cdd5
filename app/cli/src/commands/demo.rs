//! `provena demo`.

use anyhow::Result;

use crate::{
    context::Context,
    demo::{self, Kind, Options},
    failure::{Exit, Failure},
    stop,
};

/// Arguments of `provena demo`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena demo\n  provena demo --model minilm\n  provena demo --model smollm2\n  provena demo --token --json\n  provena demo --keep        then play on the same chain from another terminal\n\nNeeds a built tree and the real data: `cargo xtask demo` does all of it by itself."
)]
pub(crate) struct Args {
    /// Which model to show.
    #[arg(long, value_enum, default_value_t = Kind::Digits)]
    model: Kind,
    /// Pay in a token made for the occasion instead of SOL.
    #[arg(long)]
    token: bool,
    /// Leave the chain and the node running until ctrl-c.
    #[arg(long)]
    keep: bool,
    /// What the node computes on: gpu (a software driver counts), best (the fastest), cpu, or an adapter's name.
    #[arg(long, default_value = "gpu", value_name = "NAME")]
    adapter: String,
    /// Which pictures to ask for: rows of the data, from 0 (repeat for more) [default: four the model never saw].
    #[arg(long = "row", value_name = "N", default_values_t = [34, 44, 54, 59], hide_default_value = true)]
    rows: Vec<usize>,
}

/// Plays the demo; ctrl-c stops it and everything it started.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let Args { model: kind, token, keep, adapter, rows } = args;
    let options = Options { kind, token, keep, adapter, rows };
    let playing = demo::play(&options, context.output);
    if keep {
        // With --keep, ctrl-c is how the demo ends well; `play` waits for it itself.
        return playing.await;
    }
    tokio::select! {
        outcome = playing => outcome,
        () = stop::requested() => Err(Failure::new(Exit::Interrupted, "stopped; nothing is left behind").into()),
    }
}
