//! `provena`: the person's terminal to models and datasets that are owned.
//!
//! Data goes to stdout, everything else to stderr; `--json` turns data into one JSON value. Exit codes are
//! documented in [`failure::Exit`] and in `provena --help`.

#![allow(clippy::doc_markdown, reason = "doc comments of arguments are help texts, shown as they stand")]

mod address;
mod cli;
mod commands;
mod context;
mod demo;
mod deploy;
mod digits;
mod failure;
mod localnet;
mod output;
mod stop;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, output::Output};

fn main() -> ExitCode {
    quiet_vulkan();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::refused(&error),
    };
    let output = Output::new(cli.global.json);
    if !cli.is_service()
        && let Err(error) = output::logging(cli.global.verbose, output.json())
    {
        return failure::report(&error, &output);
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

/// Keeps Mesa's device-selection layer from complaining on stderr where there is no desktop session. It only sorts
/// devices, and ours are chosen by the engine.
fn quiet_vulkan() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: this is the first thing that the process does, before it has a second thread.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}
