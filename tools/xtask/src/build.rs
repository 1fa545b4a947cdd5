//! `cargo xtask build`: everything a user or a test runs.

use crate::{
    idl, metaplex, paths,
    run::{cargo, program, run as must},
};
use anyhow::Result;

#[derive(clap::Args, Clone, Copy, Default)]
pub(crate) struct Args {
    /// Build only the programs' bytecode
    #[arg(long)]
    programs_only: bool,
    /// Also build bytecode v3, the one that real clusters ask for, into target/deploy/v3
    #[arg(long)]
    v3: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    programs(args.v3)?;
    if !args.programs_only {
        localnet()?;
        idl::run(&idl::Args::default())?;
        must(&mut cargo(["build", "--locked", "-p", "provena-cli"]))?;
    }
    eprintln!("programs: target/deploy; the CLI: {}", paths::binary("provena").display());
    Ok(())
}

/// The programs' bytecode, as files in target/deploy (v0) and, when asked, target/deploy/v3, with Token Metadata beside them.
pub(crate) fn programs(v3: bool) -> Result<()> {
    metaplex::install()?;
    must(&mut cargo(["build", "--locked", "-p", "provena-sbf"]))?;
    sbf(&["--arch", if v3 { "v0,v3" } else { "v0" }, "--sbf-out-dir", "target/deploy"])
}

/// The program with which the builder itself is tested, in bytecode v3.
pub(crate) fn differential() -> Result<()> {
    let manifest = "tools/sbf/tests/programs/differential/Cargo.toml";
    sbf(&["--arch", "v3", "--manifest-path", manifest, "--sbf-out-dir", "target/differential"])
}

fn sbf(args: &[&str]) -> Result<()> {
    let mut build = program(&paths::binary("cargo-build-sbf").to_string_lossy(), args);
    must(build.env("CARGO_TARGET_DIR", paths::target()))
}

/// The embedded chain. Its own workspace: its lock file must stay the one its crates were published with.
pub(crate) fn localnet() -> Result<()> {
    let mut build = cargo(["build", "--locked", "--manifest-path", "tools/localnet/Cargo.toml"]);
    must(build.env("CARGO_TARGET_DIR", paths::localnet_target()))
}
