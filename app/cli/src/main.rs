//! `provena`: the person's terminal to models and datasets that are owned.
//!
//! Data goes to stdout, everything else to stderr; `--json` turns data into one JSON value. Exit codes are
//! documented in [`failure::Exit`] and in `provena --help`.

#![allow(clippy::doc_markdown, reason = "doc comments of arguments are help texts, shown as they stand")]

mod address;
mod book;
mod cli;
mod commands;
mod context;
mod demo;
mod deploy;
mod digits;
mod failure;
mod help;
mod localnet;
mod nft;

mod output;
mod stop;

use std::{env, ffi::OsString, process::ExitCode, sync::Arc};

use clap::{CommandFactory, FromArgMatches};

use crate::{book::Book, cli::Cli, output::Output};

fn main() -> ExitCode {
    quiet_vulkan();
    let arguments: Vec<OsString> = env::args_os().collect();
    // Names are of the chain at --url, so that it is looked for before the whole line is understood.
    let book = Arc::new(Book::new(context::book_file(), &cli::url(&arguments)));
    let command = || book::arguments::with_names(help::flowing(Cli::command()), &book);
    // A shell that asks for words ends here.
    clap_complete::CompleteEnv::with_factory(command).complete();
    if book::chains::are_named(&arguments) {
        book::chains::meet(&book);
    }
    let parsed = command().try_get_matches_from(&arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            let command = command();
            return failure::refused(&error.with_cmd(&command), command);
        }
    };
    let output =
        Output::new(cli.global.json, cli.global.full, context::given(&cli.global, |variable| env::var(variable).ok()));
    if !cli.is_service()
        && let Err(error) = output::logging(cli.global.verbose, output.json())
    {
        return failure::report(&error, &output);
    }
    let outcome = provena_node::runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        let outcome = runtime.block_on(commands::run(cli, &book, &output));
        // Who is told to stop does not wait until a thread has computed what nobody wants any more.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error, &output),
    }
}

/// Keeps Mesa's device-selection layer from complaining on stderr where there is no desktop session. It only sorts
/// devices, and ours are chosen by the engine.
fn quiet_vulkan() {
    if env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: this is the first thing that the process does, before it has a second thread.
        unsafe { env::set_var("NODEVICE_SELECT", "1") };
    }
}
