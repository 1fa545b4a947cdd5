//! Help texts that fit the terminal: a paragraph is broken once, by whoever knows how wide the terminal is, and what an
//! example does stands beneath it where it has no room beside.

use clap::{Arg, Command};

use crate::output::table::COLUMNS;

/// Spaces between an example and what it does.
const APART: &str = "   ";

/// The command with footers that flow. A value may begin with a minus: that it must not is for the value's own words to
/// say, and not taken for an option that does not exist.
pub(crate) fn flowing(command: Command) -> Command {
    let footer = command.get_after_help().map(|help| flow(&help.to_string()));
    let negative = |argument: Arg| match argument.get_action().takes_values() {
        true => argument.allow_negative_numbers(true),
        false => argument,
    };
    let command = command.mut_args(negative).mut_subcommands(flowing);
    match footer {
        Some(footer) => command.after_help(footer),
        None => command,
    }
}

fn flow(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let plain = !line.is_empty() && !line.starts_with(' ') && !line.ends_with(':');
        match lines.last_mut() {
            Some(last) if plain && open => {
                last.push(' ');
                last.push_str(line);
            }
            _ => lines.extend(example(line)),
        }
        // A line that ends a sentence may begin a list or another thought, which has a line of its own.
        open = plain && !(line.ends_with('.') && line.chars().count() < COLUMNS / 2);
    }
    lines.join("\n")
}

/// A line as it is, or in two where an example and its explanation are too long for one.
fn example(line: &str) -> Vec<String> {
    let indented = line.starts_with(' ') && line.chars().count() > COLUMNS;
    let parts = line.trim_start().split_once(APART).filter(|_| indented);
    match parts {
        Some((command, meaning)) => {
            let mut lines = copyable(command.trim());
            lines.push(format!("        {}", meaning.trim()));
            lines
        }
        None if indented => copyable(line.trim()),
        None => vec![line.to_owned()],
    }
}

/// A command in lines that a shell puts together again, broken before its options; an option stays with its value, and what
/// stands between quotes on one line.
fn copyable(command: &str) -> Vec<String> {
    const GOES_ON: &str = " \\";
    let mut pieces: Vec<String> = Vec::new();
    for word in command.split(' ') {
        match pieces.last_mut() {
            Some(last) if last.matches('\'').count() % 2 == 1 => last.extend([" ", word]),
            Some(last) if last.starts_with("--") && !last.contains(' ') && !word.starts_with('-') => {
                last.extend([" ", word]);
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    let mut lines = vec![String::from(" ")];
    let count = pieces.len();
    for (number, piece) in pieces.into_iter().enumerate() {
        let room = COLUMNS - if number + 1 < count { GOES_ON.len() } else { 0 };
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + piece.chars().count() <= room => last.extend([" ", &piece]),
            last => {
                last.into_iter().for_each(|last| last.push_str(GOES_ON));
                lines.push(format!("      {piece}"));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn paragraphs_are_joined_and_examples_are_not() {
        let text = "Examples:\n  provena a\n  provena b\n\nOne sentence that goes\non here. And\nends.\n\nExit codes: 0 done;\n1 not.";
        let flowing = "Examples:\n  provena a\n  provena b\n\nOne sentence that goes on here. And ends.\n\nExit codes: 0 done; 1 not.";
        assert_eq!(flow(text), flowing);
        let long = format!("  provena {} {APART} and what that does to you", "x".repeat(50));
        assert_eq!(example(&long).len(), 2);
        let long = format!("  provena a --b {} --text 'one two' --c d", "x".repeat(48));
        let broken = format!("  provena a --b {} \\\n      --text 'one two' --c d", "x".repeat(48));
        assert_eq!(example(&long).join("\n"), broken);
    }

    /// No help text is wider than the terminal that everybody has, and none is broken twice.
    #[test]
    fn help_fits_a_terminal() {
        fn check(command: &Command) {
            let mut shown = flowing(command.clone()).term_width(COLUMNS);
            let footer = shown.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in footer.lines().filter(|line| line.starts_with(' ')) {
                assert!(line.chars().count() <= COLUMNS, "{}: {line}", command.get_name());
            }
            for line in shown.render_help().to_string().lines() {
                assert!(line.chars().count() <= COLUMNS, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
