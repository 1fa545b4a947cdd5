//! Lines that fit a terminal. They are broken between words, and never inside a command, a path, an address or a URL: what
//! a person copies is whole, even where it makes a line longer than the terminal is wide.

use std::io;

use terminal_size::{Width, terminal_size_of};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, core::Word};

use super::table::COLUMNS;

/// Lines that are longer than this are hard to read, however wide a terminal is.
const MOST_COLUMNS: usize = 100;

/// Programs whose command lines stand in texts and are copied from there.
const PROGRAMS: [&str; 4] = ["provena", "cargo", "chmod", "export"];

/// What separates a command from the words about it.
const APART: &str = "  ";

/// How wide lines on stderr may be; nothing where it is no terminal, because programs read whole lines.
pub(crate) fn stderr_columns() -> Option<usize> {
    if !io::IsTerminal::is_terminal(&io::stderr()) {
        return None;
    }
    let columns = terminal_size_of(io::stderr()).map(|(Width(columns), _)| usize::from(columns));
    Some(columns.filter(|columns| *columns > 0).unwrap_or(COLUMNS).min(MOST_COLUMNS))
}

/// The lines of a text of at most `width` columns each; a longer word has a line of its own.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let options = Options::new(width)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .break_words(false);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// A text of which each line that is too long goes on beneath itself, as far to the right as it began. Without `columns`
/// it stays as it is.
pub(crate) fn fitted(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let line = |line: &str| {
        let (indent, words) = line.split_at(line.len() - line.trim_start_matches(' ').len());
        let lines = wrap(words, columns.saturating_sub(indent.len()));
        lines.iter().map(|words| format!("{indent}{words}")).collect::<Vec<_>>().join("\n")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A text beside its label, whose further lines begin where the first one does. `painted` is the label with its colours.
pub(crate) fn beside(label: &str, painted: &str, text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return format!("{painted} {text}") };
    let indent = label.chars().count() + 1;
    let text = fitted(text, Some(columns.saturating_sub(indent)));
    format!("{painted} {}", text.replace('\n', &format!("\n{}", " ".repeat(indent))))
}

/// The pieces of a line between which it may be broken.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut rest = line;
    Box::new(std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = whole(rest);
        let blanks = rest[end..].len() - rest[end..].trim_start_matches(' ').len();
        let (word, after) = rest.split_at(end + blanks);
        rest = after;
        Some(Word::from(word))
    }))
}

/// Where the piece ends that a text begins with: a word, a command, or what stands between backticks.
fn whole(text: &str) -> usize {
    let word = text.find(' ').unwrap_or(text.len());
    if PROGRAMS.contains(&&text[..word]) {
        return command_end(text);
    }
    let open = |end: usize| text[..end].matches('`').count() % 2 == 1;
    // A backtick that is never closed holds nothing together.
    end(text, |end| open(end) && text[end..].contains('`'))
}

/// Where the command ends that a text begins with: at words about it, or in a list of commands.
pub(crate) fn command_end(text: &str) -> usize {
    end(text, |end| !text[end..].starts_with(APART) && !text[..end].ends_with([',', ';']))
}

/// The end of the first word of a text behind which it does not go on.
fn end(text: &str, goes_on: impl Fn(usize) -> bool) -> usize {
    let mut end = text.find(' ').unwrap_or(text.len());
    while end < text.len() && goes_on(end) {
        end = text[end + 1..].find(' ').map_or(text.len(), |next| end + 1 + next);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij kl", 5), ["abcdefghij", "kl"]);
        assert_eq!(wrap("a file://b-c-d", 5), ["a", "file://b-c-d"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn what_is_copied_stays_whole() {
        let command = "provena asset licence publish @digits --share 10%";
        assert_eq!(wrap(&format!("ask its owner: {command}"), 30), ["ask its owner:", command]);
        assert_eq!(wrap(&format!("{command}   (or check --url)"), 30), [command, "(or check --url)"]);
        assert_eq!(
            wrap("take it: provena asset pending, or wait", 20),
            ["take it:", "provena asset pending,", "or wait"]
        );
        assert_eq!(wrap("see (`provena job list`) there", 12), ["see", "(`provena job list`)", "there"]);
        assert_eq!(wrap("an open ` breaks nothing", 10), ["an open `", "breaks", "nothing"]);
    }

    #[test]
    fn further_lines_begin_where_the_first_did() {
        assert_eq!(fitted("a b\n  c d", Some(4)), "a b\n  c\n  d");
        assert_eq!(fitted("a b\n  c d", None), "a b\n  c d");
        assert_eq!(beside("try:", "try:", "one two", Some(8)), "try: one\n     two");
        assert_eq!(beside("try:", "try:", "one two", None), "try: one two");
    }
}
