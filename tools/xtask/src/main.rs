//! `cargo xtask <verb>`: everything this repository can do to itself.
//!
//! Every verb runs `setup` first, which is quick when nothing is missing.

mod bench;
mod build;
mod clone;
mod cu;
mod demo;
mod deny;
mod fetch;
mod idl;
mod metaplex;
mod paths;
mod run;
mod setup;
mod soak;
mod test;
mod tidy;
mod wheel;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, generates and checks Provena", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install what is missing on this machine, or name it exactly
    Setup,
    /// Build the programs into target/deploy, their IDL into app/idl, the embedded chain and the `provena` binary
    Build(build::Args),
    /// Mint a real model, run it, and watch the royalties arrive (starts its own chain)
    Demo(demo::Args),
    /// Run every check and test, the way CI does
    Test,
    /// Run the property tests for millions of instructions
    Soak(soak::Args),
    /// Check the tree's own rules: layers, file sizes, names, links, tests for every instruction
    Tidy,
    /// Measure compute units and rewrite docs/compute-units.json and `docs/COMPUTE_UNITS.md`
    Cu,
    /// Measure the engine on this machine
    Bench(bench::Args),
    /// Generate app/idl from the programs
    Idl(idl::Args),
    /// Fetch the published model and data that tests and the demo use, checked by hash
    Fetch,
}

fn main() -> ExitCode {
    // SAFETY: nothing else runs yet. Cargo under rustup exports the toolchain to its children; the IDL builder
    // mistakes that for a request and calls `cargo +{toolchain}` literally, so it must not see the variable.
    unsafe { std::env::remove_var("RUSTUP_TOOLCHAIN") };
    match act(Cli::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(verb: Verb) -> anyhow::Result<()> {
    clone::claim()?;
    match verb {
        Verb::Setup => {}
        Verb::Test => setup::run(setup::For::Checks, setup::Report::OnlyProblems)?,
        _ => setup::run(setup::For::Builds, setup::Report::OnlyProblems)?,
    }
    match verb {
        Verb::Setup => setup::run(setup::For::Checks, setup::Report::Always),
        Verb::Build(args) => build::run(&args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Test => test::run(),
        Verb::Soak(args) => soak::run(&args),
        Verb::Tidy => tidy::run(),
        Verb::Cu => cu::run(),
        Verb::Bench(args) => bench::run(&args),
        Verb::Idl(args) => idl::run(&args),
        Verb::Fetch => fetch::run(false).map(|folder| println!("{}", folder.display())),
    }
}
