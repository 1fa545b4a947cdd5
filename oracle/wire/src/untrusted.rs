//! Text that somebody else chose, such as a title, a name, an address of a node or the words of a model.
//!
//! It can move a terminal's cursor, colour the screen, turn the reading direction, fake a row of a table or a line of a
//! log. [`Untrusted`] holds it and cannot be displayed, so that the compiler asks whoever shows it to call
//! [`Untrusted::shown`]; [`printable`] is what that does.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Marks in a row on one letter, beyond which they only cover the lines above and below.
const MOST_MARKS: usize = 2;

/// A text that somebody else chose. It has no `Display`; it is serialised as it is, since JSON is for programs.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// The text with everything written out that is no visible letter; see [`printable`].
    #[must_use]
    pub fn shown(&self) -> String {
        printable(&self.0)
    }

    /// The text as it came, for comparisons and for programs; never for a terminal, a log or a page.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.shown())
    }
}

/// `text` on one line, with every character written out (as `\u{202e}`) that a reader would not see as itself: control
/// characters and line ends, marks of direction, joiners, tags, blanks that are no space, private characters, and piles
/// of combining marks. Letters of every script stay as they are.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // A mark at the beginning would sit on whatever is written before.
    let mut marks = MOST_MARKS;
    for letter in text.chars() {
        marks = if is_mark(letter) { marks + 1 } else { 0 };
        if is_harmless(letter) && marks <= MOST_MARKS {
            out.push(letter);
        } else {
            out.extend(letter.escape_unicode());
        }
    }
    out
}

/// Whether a reader sees the character as itself, or as a space.
#[must_use]
pub fn is_harmless(letter: char) -> bool {
    matches!(letter, ' '..='~') || (!letter.is_ascii() && !letter.is_control() && !is_invisible(letter))
}

/// Characters without a shape of their own: Unicode's format characters, blanks beside the space, fillers, selectors, tags,
/// private characters and those that are none.
fn is_invisible(letter: char) -> bool {
    let none = u32::from(letter) & 0xfffe == 0xfffe;
    none || matches!(letter,
        '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{2800}' | '\u{3000}'
        | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffc}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bcaf}'
        | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..)
}

/// Combining marks, which sit on the letter before.
fn is_mark(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// `json`, a document without control characters outside of its strings, with every character of [`printable`]'s kind
/// written as JSON writes it: the same value to every program, and harmless on a terminal.
#[must_use]
pub fn printable_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        // Line ends and tabs between tokens are JSON's own; inside strings they are written out already.
        if is_harmless(letter) || matches!(letter, '\n' | '\t') {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n16_what_could_fake_a_row_is_written_out() {
        assert_eq!(printable("Digits"), "Digits");
        assert_eq!(printable("größe 数字 é עברית عربي ไทย"), "größe 数字 é עברית عربي ไทย");
        assert_eq!(printable("a\u{1b}[31mb\nc\r\t"), "a\\u{1b}[31mb\\u{a}c\\u{d}\\u{9}");
        assert_eq!(printable("a\u{202e}b\u{200b}\u{9b}\u{7f}"), "a\\u{202e}b\\u{200b}\\u{9b}\\u{7f}");
        // Blanks that look like the space, a tag, a private character, a character that is none.
        assert_eq!(
            printable("\u{a0}\u{2003}\u{3000}\u{2800}\u{e0041}\u{f8ff}\u{10fffe}"),
            "\\u{a0}\\u{2003}\\u{3000}\\u{2800}\\u{e0041}\\u{f8ff}\\u{10fffe}"
        );
    }

    #[test]
    fn n16_marks_are_not_piled_up_and_do_not_begin_a_text() {
        assert_eq!(printable("e\u{301}\u{323}"), "e\u{301}\u{323}");
        assert_eq!(printable("e\u{301}\u{301}\u{301}"), "e\u{301}\u{301}\\u{301}");
        assert_eq!(printable("\u{301}e"), "\\u{301}e");
    }

    #[test]
    fn json_stays_the_same_value_and_becomes_harmless() {
        let text = "a\u{202e}\u{9b}\u{7f}\u{e0041}\u{1b}\n\"ü";
        let json = serde_json::to_string_pretty(&[Untrusted::from(text)]).unwrap();
        let shown = printable_json(&json);
        assert!(shown.chars().all(|letter| is_harmless(letter) || letter == '\n'), "{shown}");
        assert_eq!(serde_json::from_str::<Vec<Untrusted>>(&shown).unwrap()[0].raw(), text);
    }

    #[test]
    fn its_debug_form_is_harmless_too() {
        assert_eq!(format!("{:?}", Untrusted::from("a\u{1b}b")), "\"a\\u{1b}b\"");
    }
}
