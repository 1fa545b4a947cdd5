//! `provena node run`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use provena_node::config::{Config, LogFormat};
use tokio_util::sync::CancellationToken;

use crate::{context::Context, failure::Failure, output, stop};

/// Arguments of `provena node run`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena node sample-config > node.toml\n  provena node run --config node.toml\n  PROVENA_NODE__ENGINE__ADAPTER=cpu provena node run --config node.toml"
)]
pub(super) struct Args {
    /// The node's config file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Runs the node until ctrl-c or SIGTERM; work in flight is finished first or left for the next start.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let config = Config::load(&args.config).map_err(|error| {
        Failure::failed(format!("the node cannot start: {error}"))
            .hint("provena node sample-config > node.toml   writes a commented example")
    })?;
    log(&config, context.output.json())?;
    let shutdown = CancellationToken::new();
    let running = provena_node::node::run(config, shutdown.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return ended.context("the node stopped"),
        () = stop::requested() => shutdown.cancel(),
    }
    running.await.context("the node did not stop cleanly")
}

/// Sends what the node logs to stderr.
///
/// # Errors
/// The filter is none.
fn log(config: &Config, json: bool) -> Result<()> {
    let filter = output::log_filter("[log] filter", &config.log.filter)?;
    // Nothing else in this process sets a subscriber: `main` leaves it to this command.
    output::log(filter, json || config.log.format == LogFormat::Json, false);
    Ok(())
}
