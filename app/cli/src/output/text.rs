//! Words on a terminal: strangers' texts made harmless, long things short, long lines broken.

/// A text that somebody else chose, such as a title, with everything that could move the cursor, colour the screen or turn
/// the reading direction written out.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || is_invisible(letter) {
            out.extend(letter.escape_unicode());
        } else {
            out.push(letter);
        }
    }
    out
}

/// What a model says, on several lines as it comes, without what could move the cursor, colour the screen or turn the
/// reading direction. Joiners and selectors stay, of which many scripts and signs are made.
pub(crate) fn spoken(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if turns || (letter.is_control() && letter != '\n' && letter != '\t') {
            out.extend(letter.escape_unicode());
        } else {
            out.push(letter);
        }
    }
    out
}

/// Marks without a shape of their own: directions, joiners, separators of lines, tags.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A transaction's signature as people can tell it from others; `--json` gives all of it.
pub(crate) fn short(signature: &str) -> String {
    const SHOWN: usize = 24;
    if signature.chars().count() <= SHOWN + 1 {
        return signature.to_owned();
    }
    signature.chars().take(SHOWN).chain(['…']).collect()
}

/// Several signatures, one a line.
pub(crate) fn short_each<'a>(signatures: impl IntoIterator<Item = &'a String>) -> String {
    signatures.into_iter().map(|signature| short(signature)).collect::<Vec<_>>().join("\n")
}

/// A URI whose content root is cut, so that it fits a line.
pub(crate) fn short_uri(uri: &str) -> String {
    match uri.rsplit_once('/') {
        Some((place, root)) if root.len() == 64 && root.is_ascii() => format!("{place}/{}…", &root[..8]),
        _ => uri.to_owned(),
    }
}

/// The lines of a text of at most `width` letters each, broken at spaces; a longer word has a line of its own.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    if text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else if let Some(last) = lines.last_mut() {
            if line > 0 {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fake_a_row_is_written_out() {
        assert_eq!(printable("Digits"), "Digits");
        assert_eq!(printable("größe 数字 é"), "größe 数字 é");
        assert_eq!(printable("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\u{a}c");
        assert_eq!(printable("a\u{202e}b\u{200b}\u{9b}"), "a\\u{202e}b\\u{200b}\\u{9b}");
    }

    #[test]
    fn what_a_model_says_moves_no_cursor() {
        assert_eq!(spoken("a\n\tb 👩\u{200d}🚀"), "a\n\tb 👩\u{200d}🚀");
        assert_eq!(spoken("a\u{1b}[2Jb\r\u{202e}"), "a\\u{1b}[2Jb\\u{d}\\u{202e}");
    }

    #[test]
    fn long_things_are_cut() {
        assert_eq!(short("abc"), "abc");
        assert_eq!(short(&"5".repeat(88)), "5".repeat(24) + "…");
        assert_eq!(
            short_uri(&format!("https://a.example/v1/blobs/{}", "ab".repeat(32))),
            "https://a.example/v1/blobs/abababab…"
        );
        assert_eq!(short_uri("https://a.example/meta.json"), "https://a.example/meta.json");
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij kl", 5), ["abcdefghij", "kl"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
