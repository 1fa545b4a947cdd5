//! `cargo xtask demo`: builds what is missing, then hands over to `provena demo`.

use crate::{
    build, fetch, paths,
    run::{cargo, program, run as must},
};
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Options of `provena demo`, such as --model minilm, --token, --json (see `provena demo --help`)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    build::programs(false)?;
    build::localnet()?;
    must(&mut cargo(["build", "--locked", "-p", "provena-cli"]))?;
    fetch::run(true)?;
    let mut demo = program(&paths::binary("provena").to_string_lossy(), ["demo"]);
    demo.args(&args.rest).env("PROVENA_LOCALNET", paths::localnet_binary()).env("PROVENA_ASSETS", paths::assets());
    must(&mut demo)
}
