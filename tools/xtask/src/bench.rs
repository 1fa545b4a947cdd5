//! `cargo xtask bench engine`: what models and kernels take here, beside what this machine can do at all.

use crate::{
    fetch,
    run::{cargo, run as must},
};
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to measure
    #[arg(value_enum)]
    what: What,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Fewer repetitions, and not the largest model
    #[arg(long)]
    quick: bool,
    /// Only these parts: start, kernels, digits, digits-cnn, minilm, llama-15m, llama-110m, llama-1b, smollm2
    parts: Vec<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// The engine's kernels and models, on the best adapter and on the CPU
    Engine,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let What::Engine = args.what;
    fetch::run(true)?;
    let mut bench = cargo(["bench", "--locked", "-p", "provena-engine", "--bench", "engine"]);
    bench.arg("--");
    for (given, flag) in [(args.json, "--json"), (args.quick, "--quick")] {
        if given {
            bench.arg(flag);
        }
    }
    bench.args(&args.parts);
    must(&mut bench)
}
