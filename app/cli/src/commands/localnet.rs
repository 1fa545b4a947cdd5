//! `provena localnet`: the embedded chain, until ctrl-c.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use solana_signer::Signer;

use crate::{
    context::Context,
    failure::Failure,
    localnet::{Localnet, Options},
    output::{Report, style::Style},
    stop,
};

/// Arguments of `provena localnet`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  provena localnet\n  provena localnet --rpc-port 18899 --ws-port 18900 --state chain.state"
)]
pub(crate) struct Args {
    /// Port of the RPC service; 0 takes any free one.
    #[arg(long, default_value_t = 8899, value_name = "PORT")]
    rpc_port: u16,
    /// Port of the WebSocket service; 0 takes any free one.
    #[arg(long, default_value_t = 8900, value_name = "PORT")]
    ws_port: u16,
    /// Keep the chain's state in this file; without it what was minted and paid is gone when the chain stops. It is
    /// written every second while something changes, and when ctrl-c or kill stops the chain; kill -9 or a power cut may
    /// lose the last second.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Folder of the programs' .so files [default: the nearest target/deploy].
    #[arg(long, env = "PROVENA_PROGRAMS", value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

#[derive(Serialize)]
struct Ready<'a> {
    url: &'a str,
    ws: &'a str,
}

impl Report for Ready<'_> {
    fn text(&self, _: Style) -> String {
        format!("ready rpc={} ws={}", self.url, self.ws)
    }
}

/// Runs the embedded chain until it ends or is told to stop.
pub(crate) async fn run(args: Args, context: &Context<'_>) -> Result<()> {
    // The wallet, if there is one, may upgrade the programs, so that `provena deploy` works here too.
    let wallet = context.wallet().ok().map(|wallet| wallet.pubkey().to_string());
    let options = Options {
        rpc_port: args.rpc_port,
        ws_port: args.ws_port,
        state: args.state,
        upgrade_authority: wallet,
        programs: args.programs,
        slot_ms: None,
        verbose: context.verbose(),
    };
    let kept = match &options.state {
        Some(file) => format!("stopped; the chain is kept in {}", file.display()),
        None => "stopped; the chain was kept in memory, and is gone".to_owned(),
    };
    let mut chain = Localnet::start(&options).await?;
    context.output.data(&Ready { url: &chain.url, ws: &chain.ws })?;
    context.output.note("A private chain runs on this machine with Provena's programs on it; ctrl-c stops it.");
    context.output.note(&format!("In another terminal: export PROVENA_URL={}", chain.url));
    context.output.note("  provena keygen && provena airdrop 10 && provena deploy --init-only");
    if options.state.is_none() {
        context.output.note("It is kept in memory, and gone when it stops; --state FILE keeps it.");
    }
    tokio::select! {
        status = chain.ended() => {
            Err(Failure::failed(format!("the chain stopped by itself: {}", status?))
                .hint("run it again with -v to see its own log")
                .into())
        }
        asked = stop::asked() => {
            chain.stop().await?;
            asked.outcome(kept)
        }
        () = stop::hung_up() => chain.stop().await,
    }
}
