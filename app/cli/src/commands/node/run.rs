//! `provena node run`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use provena_client::chain::RpcChain;
use provena_node::{
    config::{Config, LogFormat},
    node::NodeError,
};
use solana_signer::Signer as _;
use tokio_util::sync::CancellationToken;

use super::{account, config::ConfigFile};
use crate::{
    context::Context,
    deploy::{self, Missing},
    failure::Failure,
    output, stop,
};

/// Longest wait for the chain's word on the endpoint, before the node begins all the same; and for the end of a node whose parent
/// is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Arguments of `provena node run`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena node sample-config > node.toml\n  provena node run --config node.toml\n  PROVENA_NODE__ENGINE__ADAPTER=cpu provena node run --config node.toml"
)]
pub(super) struct Args {
    #[command(flatten)]
    file: ConfigFile,
    /// Also stop when standard input ends: for whoever starts a node with a pipe of its own there.
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

/// Runs the node until ctrl-c or SIGTERM: work in flight is finished first or left for the next start.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let config = args.file.load()?;
    log(&config, context.output.json())?;
    let chain = config.connect()?;
    warn_of_port(&config, &chain, context).await;
    let shutdown = CancellationToken::new();
    let running = provena_node::node::run(config, shutdown.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => match ended {
            Ok(()) => Ok(()),
            Err(error) => Err(explained(error, &chain).await),
        },
        asked = stop::asked() => {
            shutdown.cancel();
            running.await.context("the node did not stop cleanly")?;
            asked.outcome(format!(
                "stopped; the stake stays on the chain, and what was begun goes on with: provena node run --config {}",
                args.file.path().display()
            ))
        }
        () = stop::let_go(args.until_stdin_closes) => {
            // Nobody reads how it ended, and what was begun is in the journal.
            shutdown.cancel();
            let _ = tokio::time::timeout(PATIENCE, running).await;
            Ok(())
        }
    }
}

/// Says when payers are sent to another port than the node's. Where the chain does not answer now, the node itself says so.
async fn warn_of_port(config: &Config, chain: &RpcChain, context: &Context<'_>) {
    let Ok(key) = config.key() else { return };
    let found = tokio::time::timeout(PATIENCE, account::find(chain, &key.pubkey())).await;
    let Ok(Ok(Some(node))) = found else { return };
    if let Some(words) = account::other_port(node.endpoint(), config.http.listen) {
        context.output.note(&format!(
            "warning: {words}: unless a proxy leads there, nobody reaches this node; provena node update --endpoint URL"
        ));
    }
}

/// Why the node ended, and the command that helps on this chain.
async fn explained(error: NodeError, chain: &RpcChain) -> anyhow::Error {
    match error {
        NodeError::NoMarket => {
            let Missing { what, command } = deploy::missing(chain).await;
            Failure::failed(format!("the node stopped: {what}"))
                .hint(format!("check [chain] rpc_url; on a chain of your own: {command}"))
                .into()
        }
        NodeError::NotRegistered(node) => Failure::failed(format!("{node} is not registered as a node on this chain"))
            .hint("provena node register --stake 1 --endpoint URL   (with the key of [node] key as --keypair)")
            .into(),
        error => anyhow::Error::from(error).context("the node cannot run"),
    }
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
