//! Command lines that make no sense: what is wrong with them, in the terms of whoever typed them.

use std::{num::ParseIntError, process::ExitCode};

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};
use provena_wire::untrusted::printable_json;
use serde_json::Map;

use super::{Exit, JsonError};
use crate::output::{
    harmless,
    lines::{fitted, stderr_columns},
};

/// What a whole number looks like.
const WHOLE_NUMBER: &str = "write a whole number, such as 8";

/// Prints what is wrong with a command line, or the help that was asked for; as JSON when that was asked for, too.
pub(crate) fn refused(error: &clap::Error, mut root: Command) -> ExitCode {
    let json = std::env::args().any(|argument| argument == "--json");
    if !error.use_stderr() {
        // Nothing can be done about a terminal that takes no words.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = with_plain_words(error);
    // Commands learn their whole names and the options of every command.
    root.build();
    if !json {
        // What was typed may have been copied from somewhere.
        eprintln!("{}", fitted(harmless(&for_people(error, &text, &root)).trim_end(), stderr_columns()));
        return ExitCode::from(Exit::Usage as u8);
    }
    let told = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    let told: Vec<&str> = told.map(str::trim).filter(|line| !line.is_empty()).collect();
    let message = told.join(" ").trim_start_matches("error: ").to_owned();
    let hint = Some("provena --help   and `provena COMMAND --help` say what there is".to_owned());
    let json = JsonError { error: message, causes: Vec::new(), hint, job: None, facts: Map::new() };
    eprintln!("{}", printable_json(&serde_json::to_string(&json).unwrap_or_default()));
    ExitCode::from(Exit::Usage as u8)
}

/// The error, and where a command is missing or unknown the commands that there are.
fn for_people(error: &clap::Error, text: &str, root: &Command) -> String {
    match error.kind() {
        // What is asked for is help, in as many words as `--help` has.
        ErrorKind::MissingSubcommand => match named(root, &context(error, ContextKind::InvalidSubcommand)) {
            Some(command) => command.clone().render_help().to_string(),
            None => text.to_owned(),
        },
        // Who mistyped a letter is told the word, and needs no list.
        ErrorKind::InvalidSubcommand if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            let said = text.lines().take_while(|line| !line.starts_with("Usage:")).collect::<Vec<_>>().join("\n");
            let usage = context(error, ContextKind::Usage);
            let path = usage.trim_start_matches("Usage: ").split('[').next().unwrap_or_default();
            match named(root, path) {
                Some(command) => format!("{}\n\n{}", said.trim_end(), commands(command)),
                None => text.to_owned(),
            }
        }
        _ => text.to_owned(),
    }
}

/// A part of what clap knows of an error, as text without colours.
fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        _ => String::new(),
    }
}

/// The command of a path such as `provena node`.
fn named<'a>(root: &'a Command, path: &str) -> Option<&'a Command> {
    let mut words = path.split_whitespace();
    words.next().filter(|name| *name == root.get_name())?;
    words.try_fold(root, |command, name| command.find_subcommand(name))
}

/// What there is under a command, and where more is said.
fn commands(command: &Command) -> String {
    let list = command.clone().help_template("{subcommands}").render_help().to_string();
    format!("Commands:\n{}\n\n`--help` behind any of them says more.", list.trim_end())
}

/// The error's text, in which a number that is none is not called an invalid digit.
fn with_plain_words(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.replacen("unrecognized subcommand", "there is no command", 1);
    let text = text.replacen("a similar subcommand exists", "there is", 1).replacen(
        "some similar subcommands exist",
        "there are",
        1,
    );
    let Some(source) = std::error::Error::source(error) else { return text };
    let said = source.to_string();
    let meant = match said.split_once(" is not in ") {
        _ if source.is::<ParseIntError>() => WHOLE_NUMBER.to_owned(),
        Some((_, range)) => within(range).unwrap_or_else(|| said.clone()),
        None => return text,
    };
    text.replace(&said, &meant)
}

/// What a range of Rust's, such as `1..` or `0..=65535`, allows.
fn within(range: &str) -> Option<String> {
    let (least, most) = range.split_once("..")?;
    let least: u64 = least.parse().ok()?;
    let most: u64 = if most.is_empty() { u64::MAX } else { most.strip_prefix('=')?.parse().ok()? };
    Some(match most {
        // So much is what the machine can count, and nobody's bound.
        most if most >= u32::MAX.into() => format!("write a whole number, at least {least}"),
        most => format!("write a whole number from {least} to {most}"),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::{cli::Cli, help};

    fn told(line: &[&str]) -> String {
        let mut root = help::flowing(Cli::command()).term_width(80);
        root.build();
        let error = root.clone().try_get_matches_from([&["provena"], line].concat()).unwrap_err();
        for_people(&error, &with_plain_words(&error), &root)
    }

    #[test]
    fn a_number_that_is_none_is_told_what_one_looks_like() {
        let capacity = |value| told(&["node", "update", "--capacity", value]);
        assert!(capacity("many").contains("'many' for '--capacity <JOBS>': write a whole number, such as 8"));
        assert!(capacity("-1").contains("write a whole number, at least 0"), "{}", capacity("-1"));
        assert!(capacity("1.5").contains(WHOLE_NUMBER));
        assert!(told(&["localnet", "--rpc-port", "70000"]).contains("a whole number from 0 to 65535"));
        assert!(told(&["model", "import", "a", "-o", "b", "--context", "0"]).contains("a whole number, at least 1"));
        let negative = told(&["airdrop", "-1"]);
        assert!(negative.contains("`-1` is not an amount") && !negative.contains("-- -1"), "{negative}");
    }

    #[test]
    fn an_unknown_command_is_told_which_there_are() {
        let unknown = told(&["node", "nonsense"]);
        assert!(unknown.contains("'nonsense'") && unknown.contains("\n  withdraw "), "{unknown}");
        assert!(told(&["xyz"]).contains("\n  localnet "));
        let mistyped = told(&["airdop", "1"]);
        assert!(
            mistyped.contains("there is no command 'airdop'") && mistyped.contains("there is: 'airdrop'"),
            "{mistyped}"
        );
        // What comes before a command that is missing does not turn the help into a list in one line.
        let missing = told(&["--url", "http://a", "node"]);
        assert!(missing.contains("\n  withdraw ") && missing.contains("Usage: provena node"), "{missing}");
    }
}
