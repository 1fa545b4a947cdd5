//! `provena node doctor`: everything that a node needs to earn.

mod finding;
mod here;
mod money;
mod on_chain;
mod reach;

use anyhow::Result;

use super::config::ConfigFile;
use crate::{context::Context, failure::Failure};

use finding::{Findings, Verdict};

/// Arguments of `provena node doctor`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena node doctor --config node.toml\n\nIt changes nothing. The exit code is 1 when a check fails; warnings do not count."
)]
pub(super) struct Args {
    #[command(flatten)]
    file: ConfigFile,
}

/// Checks everything and reports it.
pub(super) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    let config = args.file.load()?;
    let mut findings = Findings::default();
    let key = here::key(&config, &mut findings);
    here::disk(&config, &mut findings);
    here::engine(&config, &mut findings).await;
    let running = reach::port(&config, key.as_ref(), &mut findings).await;
    let chain = config.connect()?;
    if on_chain::connection(&chain, &mut findings).await {
        on_chain::clock(&chain, &mut findings).await;
        if let (Some(market), Some(key)) = (on_chain::market(&chain, &mut findings).await, &key)
            && let Some(node) = on_chain::node(&chain, key, &mut findings).await
        {
            money::stake(&node, &market, &mut findings);
            money::balance(&chain, key, &mut findings).await;
            money::profit(&chain, &config, &node, &market, &mut findings).await?;
            reach::endpoint(&config, &chain, &node, running.as_deref(), &mut findings).await;
        }
    }
    context.output.data(&findings)?;
    match findings.count(Verdict::Fail) {
        0 => Ok(()),
        1 => Err(Failure::failed("a check failed").hint("do what its line says, and run this again").into()),
        many => Err(Failure::failed(format!("{many} checks failed"))
            .hint("do what their lines say, the first one first, and run this again")
            .into()),
    }
}
