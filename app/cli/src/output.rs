//! Everything that reaches the terminal: data on stdout, remarks on stderr, JSON when asked for.

pub(crate) mod file;
pub(crate) mod lines;
mod log;
pub(crate) mod money;
pub(crate) mod picture;
pub(crate) mod progress;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod text;

use std::io::{self, IsTerminal, Write};

use provena_wire::untrusted::{is_harmless, printable_json};
use serde::Serialize;

use self::style::Style;

pub(crate) use log::{log, log_filter, logging};

/// How a command line begins.
const PROGRAM: &str = "provena ";

/// Verbs that ask no chain and read no wallet: the options for these mean nothing to them.
const WITHOUT_A_CHAIN: [&str; 5] = ["localnet", "demo", "keygen", "completion", "--help"];

/// What a command answers: a value for programs and a text for people.
pub(crate) trait Report: Serialize {
    /// The text shown without `--json`; no trailing newline.
    fn text(&self, style: Style) -> String;
}

/// Where a command writes.
pub(crate) struct Output {
    json: bool,
    style: Style,
    error_style: Style,
    /// How wide lines on stderr may be; nothing where it is no terminal.
    error_columns: Option<usize>,
    options: Vec<String>,
}

impl Output {
    /// Detects terminals and colour once.
    pub(crate) fn new(json: bool, full: bool, options: Vec<String>) -> Self {
        Self {
            json,
            style: Style::detect(io::stdout().is_terminal() && !json).with_full(full),
            error_style: Style::detect(io::stderr().is_terminal()).with_full(full),
            error_columns: lines::stderr_columns(),
            options,
        }
    }

    /// Whether the person asked for JSON.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// How to write on stdout.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// How to write on stderr.
    pub(crate) fn error_style(&self) -> Style {
        self.error_style
    }

    /// How wide lines on stderr may be; nothing where it is no terminal.
    pub(crate) fn error_columns(&self) -> Option<usize> {
        self.error_columns
    }

    /// The options that the person gave and another command needs to mean the same; each begins with a space.
    pub(crate) fn options(&self) -> String {
        self.options.concat()
    }

    /// A command line, or words with some in it, with the options that this one was given, so that it means the same
    /// chain and wallet when it is copied.
    pub(crate) fn command(&self, text: &str) -> String {
        self.with_options(text, |_| true)
    }

    /// As [`Output::command`], for a command that others run: with a wallet of their own.
    pub(crate) fn command_of_others(&self, text: &str) -> String {
        self.with_options(text, |option| !option.starts_with(" --keypair "))
    }

    fn with_options(&self, text: &str, wanted: impl Fn(&str) -> bool) -> String {
        let given: Vec<&str> = self.options.iter().map(String::as_str).filter(|option| wanted(option)).collect();
        if text.contains(&given.concat()) {
            // Whoever wrote it has put them where they belong.
            return text.to_owned();
        }
        let mut pieces = text.split(PROGRAM);
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let verb = piece.split([' ', '`']).next().unwrap_or_default();
            let command = &piece[..lines::command_end(piece)];
            let named = |option: &str| option.split_whitespace().next().is_some_and(|name| command.contains(name));
            // What the command names itself it means differently, and nothing can be named twice.
            let options = given.iter().filter(|option| !WITHOUT_A_CHAIN.contains(&verb) && !named(option));
            out.extend(["provena", &options.copied().collect::<String>(), " ", piece]);
        }
        out
    }

    /// Prints a command's answer on stdout.
    pub(crate) fn data(&self, report: &impl Report) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(report)? } else { report.text(self.style) };
        self.line(&text)
    }

    /// Prints text on stdout, harmless whatever is in it; a closed pipe is no error (`provena ... | head`).
    pub(crate) fn line(&self, text: &str) -> anyhow::Result<()> {
        self.script(&if self.json { printable_json(text) } else { harmless(text) })
    }

    /// Prints text of our own on stdout as it is.
    pub(crate) fn script(&self, text: &str) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// Remarks on stderr what is being done; silent with `--json`.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            eprintln!("{}", lines::fitted(&harmless(text), self.error_columns));
        }
    }
}

/// Text for a terminal. Whoever puts a stranger's words into it has written out what is harmful in them; should one be
/// forgotten, nothing but our own colours and line ends gets through here.
pub(crate) fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if let Some(colour) = style::COLOURS.iter().find(|colour| rest.starts_with(**colour)) {
            out.push_str(colour);
            rest = &rest[colour.len()..];
            continue;
        }
        if is_harmless(letter) || matches!(letter, '\n' | '\t') {
            out.push(letter);
        } else {
            out.extend(letter.escape_unicode());
        }
        rest = &rest[letter.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n16_only_our_own_colours_get_through() {
        assert_eq!(harmless("\x1b[1mDigits\x1b[0m\nnext"), "\x1b[1mDigits\x1b[0m\nnext");
        assert_eq!(harmless("a\x1b]0;title\x07\x1b[2J\u{202e}"), "a\\u{1b}]0;title\\u{7}\\u{1b}[2J\\u{202e}");
    }

    #[test]
    fn printed_commands_mean_the_same_chain() {
        let output = Output::new(false, false, vec![" --url http://a".into()]);
        assert_eq!(output.command("provena offer list"), "provena --url http://a offer list");
        let both = "provena keygen --out a   (or `provena localnet`), then provena balance";
        let told = "provena keygen --out a   (or `provena localnet`), then provena --url http://a balance";
        assert_eq!(output.command(both), told);
        assert_eq!(
            output.command("provena deploy   (or check --url)"),
            "provena --url http://a deploy   (or check --url)"
        );
        let other = "provena balance --url http://b";
        assert_eq!(output.command(other), other, "an option that is named is not named again");
    }
}
