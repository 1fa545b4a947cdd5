//! `cargo xtask soak`: random sequences of all programs' instructions, for as many as one likes.

use crate::{
    build,
    run::{cargo, output, run as must},
};
use anyhow::{Context, Result, ensure};
use std::{process::Command, time::Instant};

/// Modules below tests/it that hold property tests are named so.
const PROPERTIES: &str = "conservation";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Play random instructions of all programs against an exact model of who must have received what
    #[arg(long, required = true)]
    programs: bool,
    /// At least so many instructions in each property test
    #[arg(long, value_name = "N", default_value_t = 5_000_000)]
    instructions: u64,
    /// Play the one sequence again that a test printed this seed for
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    build::programs(false)?;
    must(test().arg("--no-run"))?;
    let listed = output(test().args(["--", "--list", PROPERTIES])).context("the program tests cannot be listed")?;
    let tests: Vec<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    ensure!(!tests.is_empty(), "no test below tests/it is in a module `{PROPERTIES}`");
    let start = Instant::now();
    // Each test prints its seeds, which must be seen also where nothing fails.
    let mut soak = test();
    soak.args(["--", "--nocapture", PROPERTIES]).env("PROVENA_SOAK", args.instructions.to_string());
    if let Some(seed) = args.seed {
        soak.env("PROVENA_SEED", seed.to_string());
    }
    must(&mut soak)?;
    println!("{} passed, 0 failed", tests.len());
    eprintln!("{} instructions each, in {} s", args.instructions, start.elapsed().as_secs());
    Ok(())
}

fn test() -> Command {
    cargo(["test", "--locked", "-p", "provena-tests", "--test", "it"])
}
