//! What systems and libraries say when something is wrong, in words for a person who knows neither.

/// What they say, and what is meant.
const MEANINGS: [(&str, &str); 15] = [
    ("No such file or directory", "there is no such file or folder"),
    ("entity not found", "there is no such file or folder"),
    ("Not a directory", "a part of this path is a file, and no folder"),
    ("Is a directory", "it is a folder, and no file"),
    ("File exists", "something else has this name already"),
    ("Permission denied", "this user may not: permission denied"),
    ("Read-only file system", "the disk can only be read"),
    ("No space left on device", "the disk is full"),
    ("Disk quota exceeded", "the disk is full for this user"),
    ("Too many open files", "too many files are open"),
    ("stream did not contain valid UTF-8", "it is no text"),
    ("Connection refused", "nobody listens there"),
    ("Connection reset by peer", "the connection broke off"),
    ("failed to lookup address information: Name or service not known", "no server has this name"),
    ("failed to lookup address information", "the name of the server cannot be looked up"),
];

/// A text in which the system's words are a person's, without the numbers that systems give to errors.
pub(crate) fn plain(text: &str) -> String {
    let text = without_numbers(text);
    MEANINGS.iter().fold(text, |text, (said, meant)| text.replace(said, meant))
}

/// A text without each ` (os error 2)`.
fn without_numbers(text: &str) -> String {
    const NUMBER: &str = " (os error ";
    let mut pieces = text.split(NUMBER);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once(')') {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => out.push_str(rest),
            _ => out.extend([NUMBER, piece]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_speaks_as_people_do() {
        let missing = std::fs::read("/no such folder/file").unwrap_err().to_string();
        assert_eq!(plain(&missing), "there is no such file or folder");
        let nested = "the config file a cannot be read (Not a directory (os error 20)); print one";
        assert_eq!(
            plain(nested),
            "the config file a cannot be read (a part of this path is a file, and no folder); print one"
        );
        assert_eq!(plain("as it is (os error x)"), "as it is (os error x)");
    }
}
