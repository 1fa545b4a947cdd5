//! `provena completion`: what lets a shell complete commands, options and the address book's names.

use anyhow::Result;
use clap::ValueEnum;
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::context::Context;

/// The variable by which the shell's script asks this program for words.
const VARIABLE: &str = "COMPLETE";
/// Bash cuts words at an `@`, and names would never arrive whole.
const WHOLE_NAMES: &str = "COMP_WORDBREAKS=${COMP_WORDBREAKS//@/}\n";

/// Arguments of `provena completion`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  source <(provena completion bash)                  for this shell\n  provena completion bash >> ~/.bashrc               for every shell from now on\n  provena completion zsh >> ~/.zshrc\n  provena completion fish > ~/.config/fish/completions/provena.fish"
)]
pub(crate) struct Args {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script.
pub(crate) fn run(args: &Args, context: &Context<'_>) -> Result<()> {
    let (completer, first): (&dyn EnvCompleter, &str) = match args.shell {
        Shell::Bash => (&Bash, WHOLE_NAMES),
        Shell::Zsh => (&Zsh, ""),
        Shell::Fish => (&Fish, ""),
    };
    let mut script = first.as_bytes().to_vec();
    completer.write_registration(VARIABLE, "provena", "provena", "provena", &mut script)?;
    context.output.script(String::from_utf8_lossy(&script).trim_end())
}
