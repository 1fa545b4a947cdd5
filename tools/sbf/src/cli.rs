//! The arguments of the official `cargo build-sbf`: every one is accepted, and those that concern the
//! official compiler alone are ignored, so that `anchor build` and scripts work unchanged.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use crate::{Arch, BuildOptions, official};

const EXPLANATION: &str = "\
Programs are compiled by the Rust toolchain at hand, with the component rust-src, and made fit for Solana's
VM by this tool; nothing is downloaded. Each goes to deploy/<library>.so in cargo's target folder.

Without --manifest-path, --package or --workspace, the program in the current folder is built, or all
programs where the current folder is a workspace's root.

Solana's own compiler is used instead with --official or PROVENA_SBF_OFFICIAL=1, where it is installed.";

/// Build Solana programs with stock Rust.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-build-sbf",
    bin_name = "cargo build-sbf",
    version = concat!("provena-sbf ", env!("CARGO_PKG_VERSION")),
    disable_version_flag = true,
    after_help = EXPLANATION
)]
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

    /// Bytecode version: v0 (default), v3, or both as v0,v3
    #[arg(long, value_name = "VERSION", value_delimiter = ',', env = "PROVENA_SBF_ARCH")]
    arch: Vec<Arch>,

    /// Features of the program, separated by commas or spaces
    #[arg(long, value_name = "FEATURES", num_args = 1..)]
    features: Vec<String>,

    /// Leave out the program's default features
    #[arg(long)]
    no_default_features: bool,

    /// Folder for the programs [default: `deploy` in cargo's target folder]; v3 goes to its subfolder `v3`
    #[arg(long, value_name = "FOLDER", alias = "bpf-out-dir", env = "SBF_OUT_PATH")]
    sbf_out_dir: Option<PathBuf>,

    /// Folder for cargo's work [default: `sbf` in cargo's target folder]
    #[arg(long, value_name = "FOLDER")]
    target_dir: Option<PathBuf>,

    /// Use Solana's own compiler, which must be installed; all other arguments go to it
    #[arg(long, env = official::OFFICIAL_VARIABLE, value_parser = clap::builder::FalseyValueParser::new())]
    official: bool,

    /// Make no keypair beside a program that has none
    #[arg(long)]
    no_keypair: bool,

    /// Leave the code as LLVM sees it beside each program, as <library>.ll
    #[arg(long)]
    dump: bool,

    /// Never use the network
    #[arg(long)]
    offline: bool,

    /// Number of compilers at once
    #[arg(long, short, value_name = "N")]
    jobs: Option<u32>,

    /// Say only what fails
    #[arg(long, short)]
    quiet: bool,

    /// Show the commands that are run
    #[arg(long, short)]
    verbose: bool,

    /// Print the version
    #[arg(long, short = 'V', action = clap::ArgAction::Version)]
    version: Option<bool>,

    /// Further arguments for `cargo build`
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    cargo_args: Vec<String>,

    #[command(flatten)]
    ignored: Ignored,
}

/// What the official tool takes and has no meaning here.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Accepted for the official tool's sake, without effect")]
struct Ignored {
    /// Version of the official compiler
    #[arg(long, value_name = "VERSION")]
    tools_version: Option<String>,
    /// Folder of the official SDK
    #[arg(long, value_name = "PATH", env = "SBF_SDK_PATH")]
    sbf_sdk: Option<PathBuf>,
    #[arg(long, hide = true)]
    skip_tools_install: bool,
    #[arg(long, hide = true)]
    force_tools_install: bool,
    #[arg(long, hide = true)]
    no_rustup_override: bool,
    #[arg(long, hide = true)]
    generate_child_script_on_failure: bool,
    #[arg(long, hide = true)]
    disable_remap_cwd: bool,
    #[arg(long, hide = true)]
    remap_cwd: bool,
    #[arg(long, hide = true)]
    lto: bool,
    #[arg(long, hide = true)]
    optimize_size: bool,
    /// Debug symbols; programs of this tool carry none
    #[arg(long)]
    debug: bool,
    /// Nothing needs to be installed, so that this does nothing at all
    #[arg(long)]
    install_only: bool,
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
            // A closed terminal is no reason for another exit code.
            let _ = error.print();
            return error.exit_code();
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
    if arguments.ignored.install_only {
        return Ok(0);
    }
    crate::build(&arguments.into())?;
    Ok(0)
}

impl From<Arguments> for BuildOptions {
    fn from(arguments: Arguments) -> Self {
        let separator = |letter: char| letter == ',' || letter.is_whitespace();
        let features = arguments.features.iter().flat_map(|list| list.split(separator));
        Self {
            manifest_path: arguments.manifest_path,
            workspace: arguments.workspace,
            packages: arguments.package,
            archs: arguments.arch,
            features: features.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            no_default_features: arguments.no_default_features,
            out_dir: arguments.sbf_out_dir,
            target_dir: arguments.target_dir,
            linker: None,
            offline: arguments.offline,
            jobs: arguments.jobs,
            cargo_args: arguments.cargo_args,
            keypairs: !arguments.no_keypair,
            dump: arguments.dump,
            quiet: arguments.quiet,
            verbose: arguments.verbose,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> BuildOptions {
        Arguments::try_parse_from(line.split(' ')).expect(line).into()
    }

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn features_are_separated_by_commas_or_spaces() {
        let expected = ["a", "b", "c"];
        assert_eq!(parse("cargo-build-sbf --features a b --features c").features, expected);
        assert_eq!(parse("cargo-build-sbf --features a,b,c --offline").features, expected);
        assert_eq!(parse("cargo-build-sbf --features a,b --features c -- --locked").features, expected);
    }

    #[test]
    fn all_arguments_of_the_official_tool_are_accepted() {
        let options = parse(
            "cargo-build-sbf --tools-version v1.52 --sbf-sdk /sdk --skip-tools-install --force-tools-install \
             --no-rustup-override --generate-child-script-on-failure --disable-remap-cwd --remap-cwd --lto --debug \
             --dump --optimize-size --offline --jobs 3 --all --arch v3 --sbf-out-dir out --no-default-features \
             --manifest-path Cargo.toml -v -- --locked --config x=1",
        );
        assert_eq!(options.archs, [Arch::V3]);
        assert_eq!(options.cargo_args, ["--locked", "--config", "x=1"]);
        assert_eq!(options.out_dir, Some("out".into()));
        assert_eq!(options.jobs, Some(3));
        assert!(options.workspace && options.offline && options.no_default_features && options.dump);
    }

    #[test]
    fn both_versions_can_be_built_at_once() {
        assert_eq!(parse("cargo-build-sbf --arch v0,v3").archs, [Arch::V0, Arch::V3]);
    }

    #[test]
    fn an_unknown_version_is_refused_with_what_to_do() {
        let error = Arguments::try_parse_from(["cargo-build-sbf", "--arch", "v1"]).expect_err("v1").to_string();
        assert!(error.contains("use v0 (default) or v3, or `--official`"), "{error}");
    }
}
