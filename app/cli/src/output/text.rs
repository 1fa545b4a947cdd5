//! Words on a terminal: strangers' texts made harmless, long things short.

use std::collections::HashSet;

use provena_wire::untrusted::is_harmless;

use super::style::Style;

pub(crate) use provena_wire::printable;

/// What a model says, on several lines as it comes, without what could move the cursor, colour the screen or turn the
/// reading direction. Joiners, selectors and blanks stay, of which many scripts and signs are made.
pub(crate) fn spoken(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let joins =
            matches!(letter, '\u{a0}' | '\u{200c}' | '\u{200d}' | '\u{202f}' | '\u{3000}' | '\u{fe0e}' | '\u{fe0f}');
        if is_harmless(letter) || joins || matches!(letter, '\n' | '\t') {
            out.push(letter);
        } else {
            out.extend(letter.escape_unicode());
        }
    }
    out
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

/// A content root or another hash as people can tell it from others.
pub(crate) fn short_root(root: &str, style: Style) -> String {
    const SHOWN: usize = 16;
    if style.full() || root.len() <= SHOWN || !root.is_ascii() {
        return root.to_owned();
    }
    format!("{}…", &root[..SHOWN])
}

/// A URI that fits a line: its content root is cut, and what is long all the same loses its middle. `--full` gives all of it.
pub(crate) fn short_uri(uri: &str, style: Style) -> String {
    /// Letters that fit beside the longest name of a fact.
    const MOST: usize = 60;
    /// So many of them from the beginning: scheme, host, and where a folder is.
    const BEGINNING: usize = 30;
    if style.full() {
        return uri.to_owned();
    }
    let uri = match uri.rsplit_once('/') {
        Some((place, root)) if root.len() == 64 && root.is_ascii() => format!("{place}/{}…", &root[..8]),
        _ => uri.to_owned(),
    };
    let letters: Vec<char> = uri.chars().collect();
    if letters.len() <= MOST {
        return uri;
    }
    let end = letters.len() - (MOST - BEGINNING - 1);
    letters[..BEGINNING].iter().chain(&['…']).chain(&letters[end..]).collect()
}

/// Addresses as people can tell them apart: the first and last letters of each, as few as keep all of them different.
pub(crate) fn short_addresses(addresses: &[&str]) -> Vec<String> {
    const LEAST: usize = 4;
    const MOST: usize = 20;
    let shortened = |shown: usize| -> Vec<String> { addresses.iter().map(|address| ends(address, shown)).collect() };
    let different: HashSet<&&str> = addresses.iter().collect();
    let enough = (LEAST..MOST).find(|shown| shortened(*shown).iter().collect::<HashSet<_>>().len() == different.len());
    enough.map_or_else(|| addresses.iter().map(ToString::to_string).collect(), shortened)
}

/// One address by its ends, or whole with --full.
pub(crate) fn short_address(address: &str, style: Style) -> String {
    if style.full() { address.to_owned() } else { ends(address, 4) }
}

fn ends(address: &str, shown: usize) -> String {
    // What is no address, such as an empty cell, stays as it is.
    if address.len() < 32 || !address.is_ascii() {
        return address.to_owned();
    }
    format!("{}…{}", &address[..shown], &address[address.len() - shown..])
}

/// So many letters of a text as fit `width` columns.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_says_moves_no_cursor() {
        assert_eq!(spoken("a\n\tb 👩\u{200d}🚀"), "a\n\tb 👩\u{200d}🚀");
        assert_eq!(spoken("a\u{1b}[2Jb\r\u{202e}\u{e0041}"), "a\\u{1b}[2Jb\\u{d}\\u{202e}\\u{e0041}");
    }

    #[test]
    fn long_things_are_cut() {
        assert_eq!(short("abc"), "abc");
        assert_eq!(short(&"5".repeat(88)), "5".repeat(24) + "…");
        let blob = format!("https://a.example/v1/blobs/{}", "ab".repeat(32));
        assert_eq!(short_uri(&blob, Style::plain()), "https://a.example/v1/blobs/abababab…");
        assert_eq!(short_uri("https://a.example/meta.json", Style::plain()), "https://a.example/meta.json");
    }

    #[test]
    fn a_long_folder_loses_its_middle_unless_all_is_asked_for() {
        let uri = format!("file:///home/somebody/{}/store/{}", "deep/".repeat(30), "ab".repeat(32));
        let shown = short_uri(&uri, Style::plain());
        assert_eq!(shown, "file:///home/somebody/deep/dee…ep/deep/deep//store/abababab…");
        assert_eq!(shown.chars().count(), 60);
        assert_eq!(short_uri(&uri, Style::plain().with_full(true)), uri);
    }

    #[test]
    fn addresses_are_as_short_as_they_stay_different() {
        let [a, b] = ["Gpusw1c7UznqqXNqFhgKQ11BWX6Bq5r3HQjKBKncWcYz", "GpusKncYcaBxo3NFhgKQ11BWX6Bq5r3HQjKBKncYcWcYz"];
        assert_eq!(short_addresses(&[a, a, ""]), ["Gpus…WcYz", "Gpus…WcYz", ""]);
        assert_eq!(short_addresses(&[a, b]), ["Gpusw…cWcYz", "GpusK…cWcYz"]);
        assert_eq!(cut("a long title", 6), "a lon…");
    }
}
