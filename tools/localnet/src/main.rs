//! The embedded chain: one process that answers Solana's RPC and WebSocket with Provena's programs loaded.
//!
//! Standard output carries exactly one line, printed when both ports answer:
//! `ready rpc=http://127.0.0.1:8899 ws=ws://127.0.0.1:8900`. Everything else goes to standard error.
//! Ctrl-c, SIGTERM or, if asked for, the end of standard input stops it with exit status 0.

mod args;
mod chain;
mod lifeline;
mod ports;
mod programs;
mod snapshot;
mod state;

use std::{io::Write, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{args::Args, chain::Chain};

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            lifeline::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    let endpoints = ports::choose(args.host, args.rpc_port, args.ws_port)?;
    let programs = args.programs.iter().map(programs::read).collect::<Result<Vec<_>>>()?;

    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the async runtime")?;
    let outcome = runtime.block_on(async {
        // Handlers go in first: a signal during start-up must not kill the process half-way through a write.
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for ctrl-c")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;

        let let_go = lifeline::let_go(args.until_stdin_closes)?;

        let chain = Chain::start(&args, &endpoints, &programs)?;
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "ready rpc=http://{} ws=ws://{}", endpoints.rpc, endpoints.ws)
            .and_then(|()| stdout.flush())
            .context("cannot write the ready line")?;
        drop(stdout);

        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = let_go => {}
            reason = chain.failed() => return Err(reason),
        }
        chain.stop()
    });
    // The RPC servers own runtimes of their own, which must not be dropped from here.
    runtime.shutdown_background();
    outcome
}
