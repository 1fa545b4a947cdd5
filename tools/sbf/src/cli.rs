//! The arguments of the official `cargo build-sbf`, as far as they mean something here.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use crate::{Arch, BuildOptions, official};

/// Build Solana programs with stock Rust.
#[derive(Debug, Parser)]
#[command(name = "cargo-build-sbf", bin_name = "cargo build-sbf", version = concat!("provena-sbf ", env!("CARGO_PKG_VERSION")))]
struct Arguments {
    /// The Cargo.toml of a program, or of a workspace to build all its programs
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,

    /// Build all programs of the workspace
    #[arg(long, alias = "all")]
    workspace: bool,

    /// Build this package only (may be repeated)
    #[arg(long, short, value_name = "NAME")]
    package: Vec<String>,

    /// Bytecode version: v0 (default) or v3; both with `v0,v3`
    #[arg(long, value_name = "VERSION", value_delimiter = ',', env = "PROVENA_SBF_ARCH")]
    arch: Vec<Arch>,

    /// Features of the program, separated by commas or spaces
    #[arg(long, value_name = "FEATURES", value_delimiter = ',')]
    features: Vec<String>,

    /// Leave out the program's default features
    #[arg(long)]
    no_default_features: bool,

    /// Folder for the programs [default: target/deploy in the workspace's root; target/deploy/v3 for v3]
    #[arg(long, value_name = "FOLDER", alias = "bpf-out-dir", env = "SBF_OUT_PATH")]
    sbf_out_dir: Option<PathBuf>,

    /// Folder for cargo's work [default: `sbf` in cargo's target folder]
    #[arg(long, value_name = "FOLDER")]
    target_dir: Option<PathBuf>,

    /// Use Solana's own compiler (platform-tools), which must be installed; all other arguments go to it
    #[arg(long, env = official::OFFICIAL_VARIABLE)]
    official: bool,

    /// Make no keypair beside a program that has none
    #[arg(long)]
    no_keypair: bool,

    /// Say only what fails
    #[arg(long, short)]
    quiet: bool,

    /// Show the commands that are run
    #[arg(long, short)]
    verbose: bool,

    /// Further arguments for `cargo build`
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    cargo_args: Vec<String>,
}

/// Runs the tool with the process's arguments and returns the exit code.
pub fn run(mut args: Vec<String>) -> i32 {
    // Cargo calls `cargo-build-sbf build-sbf ...`.
    if args.get(1).is_some_and(|arg| arg == "build-sbf") {
        args.remove(1);
    }
    let arguments = match Arguments::try_parse_from(&args) {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = error.exit_code();
            let _ = error.print();
            return code;
        }
    };
    match execute(arguments, &args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            1
        }
    }
}

fn execute(arguments: Arguments, args: &[String]) -> Result<i32> {
    if arguments.official {
        let rest: Vec<String> = args.iter().skip(1).filter(|arg| *arg != "--official").cloned().collect();
        return official::run(&rest);
    }
    crate::build(&BuildOptions {
        manifest_path: arguments.manifest_path,
        workspace: arguments.workspace,
        packages: arguments.package,
        archs: arguments.arch,
        features: arguments.features,
        no_default_features: arguments.no_default_features,
        out_dir: arguments.sbf_out_dir,
        target_dir: arguments.target_dir,
        linker: None,
        cargo_args: arguments.cargo_args,
        keypairs: !arguments.no_keypair,
        quiet: arguments.quiet,
        verbose: arguments.verbose,
    })?;
    Ok(0)
}
