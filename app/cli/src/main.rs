//! `provena`: the person's terminal to models and datasets that are owned.
//!
//! Data goes to stdout, everything else to stderr; `--json` turns data into one JSON value. Exit codes are
//! documented in [`failure::Exit`] and in `provena --help`.

mod cli;
mod commands;
mod context;
mod demo;
mod deploy;
mod digits;
mod failure;
mod keys;
mod localnet;
mod mint;
mod output;
mod royalty;
mod share;
mod stop;
mod token;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, output::Output};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.json);
    if !cli.is_service() {
        output::logging(cli.global.verbose, output.json());
    }
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(commands::run(cli, &output)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error, &output),
    }
}
