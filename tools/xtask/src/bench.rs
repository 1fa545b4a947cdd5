//! `cargo xtask bench engine`: what models and kernels take here, beside what this machine can do at all.

use crate::{
    fetch,
    run::{cargo, run as must},
};
use anyhow::Result;

#[derive(clap::Args)]
pub struct Args {
    /// What to measure
    #[arg(value_enum)]
    what: What,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// The engine's kernels and models, on the best adapter and on the CPU
    Engine,
}

pub fn run(args: &Args) -> Result<()> {
    let What::Engine = args.what;
    fetch::run(true)?;
    let mut bench = cargo(["bench", "--locked", "-p", "provena-engine", "--bench", "engine"]);
    if args.json {
        bench.args(["--", "--json"]);
    }
    must(&mut bench)
}
