//! Names: how they are made from titles, and how one that was typed is found.

use super::{
    LAST,
    entry::{Entry, Kind, Wanted, with_article},
};

/// Longest name.
const MOST: usize = 32;
/// How near a name must be to be proposed, of 1.
const NEAR: f64 = 0.75;
/// Names that an error lists.
const LISTED: usize = 5;

/// A name made of a title: its letters and digits in lower case, with a hyphen between words.
pub(crate) fn of_title(title: &str, kind: Kind) -> String {
    let plain = title.to_lowercase();
    let words = plain.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = words.collect::<Vec<_>>().join("-");
    name.truncate(MOST);
    let name = name.trim_matches('-');
    if name.is_empty() || name == LAST { kind.to_string() } else { name.to_owned() }
}

/// Checks a name that a person chose; a leading `@` is theirs to write or not.
///
/// # Errors
/// What names look like.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    let name = text.strip_prefix('@').unwrap_or(text);
    let fine =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '_' | '.');
    if name == LAST {
        return Err(format!("@{LAST} always is the latest; choose another name"));
    }
    if name.is_empty() || name.len() > MOST || !name.chars().all(fine) {
        return Err(format!(
            "a name has 1 to {MOST} small letters, digits, hyphens, dots or underscores, like digits-2"
        ));
    }
    Ok(name.to_owned())
}

/// `name`, or `name-2`, `name-3` and so on, whichever no entry that shares names with `kind` has.
pub(super) fn free(entries: &[Entry], kind: Kind, name: &str) -> String {
    let taken = |name: &str| entries.iter().any(|entry| entry.name == name && entry.kind.shares_names_with(kind));
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// The entry that a name stands for.
///
/// # Errors
/// There is none, in words that list near names.
pub(super) fn find(entries: &[Entry], wanted: Wanted, name: &str) -> Result<Entry, String> {
    if name != LAST {
        return exact(entries, wanted, name);
    }
    // A model stands for an offer, and an offer for what it sells, only by its own name.
    let kinds = match wanted {
        Wanted::Offer => &[Kind::Offer][..],
        Wanted::Earning => Wanted::Asset.kinds(),
        _ => wanted.kinds(),
    };
    let last = entries.iter().rev().find(|entry| kinds.contains(&entry.kind));
    let list = match wanted {
        Wanted::Job => "`provena job list` shows the wallet's",
        Wanted::Offer => "`provena offer list --full` shows what is on offer",
        _ => "`provena book` shows what does",
    };
    last.cloned().ok_or_else(|| format!("no {wanted} has a name yet on this chain; {list}"))
}

/// As [`find`], without [`LAST`].
pub(super) fn exact(entries: &[Entry], wanted: Wanted, name: &str) -> Result<Entry, String> {
    let of = |kind: &Kind| entries.iter().rev().find(|entry| entry.kind == *kind && entry.name == name);
    if let Some(found) = wanted.kinds().iter().find_map(of) {
        return Ok(found.clone());
    }
    if let Some(other) = entries.iter().find(|entry| entry.name == name) {
        return Err(format!("@{name} is {}, and {} is asked for", with_article(other.kind), with_article(wanted)));
    }
    let mut known: Vec<(f64, &str)> = entries
        .iter()
        .filter(|entry| wanted.kinds().contains(&entry.kind) && entry.kind != Kind::Job)
        .map(|entry| (strsim::jaro_winkler(&entry.name, name), entry.name.as_str()))
        .collect();
    if known.is_empty() {
        let list = match wanted {
            Wanted::Offer => "`provena offer list --full` shows what is on offer, and ",
            _ => "",
        };
        return Err(format!(
            "no {wanted} has a name yet on this chain; {list}`provena book add NAME ADDRESS` gives one"
        ));
    }
    known.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    known.dedup_by(|a, b| a.1 == b.1);
    let near: Vec<String> =
        known.iter().filter(|(near, _)| *near >= NEAR).take(LISTED).map(|(_, name)| format!("@{name}")).collect();
    if !near.is_empty() {
        return Err(format!("there is no @{name}; near it: {}", near.join(", ")));
    }
    let some: Vec<String> = known.iter().take(LISTED).map(|(_, name)| format!("@{name}")).collect();
    let more = if known.len() > LISTED { " and more (`provena book`)" } else { "" };
    Err(format!("there is no @{name}; there are {}{more}", some.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_names() {
        assert_eq!(of_title("Digits", Kind::Model), "digits");
        assert_eq!(of_title("Scanned digits, 2nd  edition!", Kind::Model), "scanned-digits-2nd-edition");
        assert_eq!(of_title("数字", Kind::Dataset), "dataset");
        assert_eq!(of_title("Last", Kind::Model), "model");
        assert_eq!(of_title("a\u{1b}[31m\u{202e}b", Kind::Model), "a-31m-b");
        assert!(of_title(&"long ".repeat(20), Kind::Model).len() <= MOST);
    }

    #[test]
    fn a_chosen_name_is_plain() {
        assert_eq!(parse("@digits-2"), Ok("digits-2".into()));
        for wrong in ["", "@", "Digits", "two words", "last", "a\u{1b}b", "a=b", &"x".repeat(33)] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
