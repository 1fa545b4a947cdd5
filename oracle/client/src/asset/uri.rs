//! Where an NFT's document may be: an address that wallets and marketplaces can read.

use provena_registry::MAX_URI_LEN;

use super::AssetError;

/// How an address is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By everybody.
    Everybody,
    /// By everybody, and anybody between can change what is read: plain HTTP.
    Unprotected,
    /// On one machine only: a file.
    Local,
}

/// Checks the address of an NFT's document and says who can read it.
///
/// # Errors
/// [`AssetError::UriTooLong`]; [`AssetError::BadUri`] for anything but `https:`, `http:`, `ipfs:`, `ar:` and `file:`.
pub fn check_uri(uri: &str) -> Result<Reach, AssetError> {
    let bad = |reason| AssetError::BadUri { uri: uri.to_owned(), reason };
    if uri.len() > MAX_URI_LEN {
        return Err(AssetError::UriTooLong(uri.len()));
    }
    if let Some(letter) = uri.chars().find(|letter| !letter.is_ascii_graphic()) {
        return Err(bad(if letter.is_ascii() {
            "it has a blank in it"
        } else {
            "it has letters that are not ASCII in it"
        }));
    }
    let (scheme, rest) = uri.split_once("://").ok_or_else(|| bad("it begins with no https://, ipfs:// or ar://"))?;
    let reach = match scheme {
        "https" | "ipfs" | "ar" => Reach::Everybody,
        "http" => Reach::Unprotected,
        "file" => Reach::Local,
        _ => return Err(bad("it begins with no https://, ipfs:// or ar://")),
    };
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match (reach, place.is_empty()) {
        (Reach::Local, false) => Err(bad("a file:// address names an absolute path")),
        (Reach::Everybody | Reach::Unprotected, true) => Err(bad("it names no place")),
        _ => Ok(reach),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_where_everybody_reads_it() {
        for fine in ["https://models.example/digits.json", "ipfs://bafybeigd/digits.json", "ar://Zm9v"] {
            assert!(matches!(check_uri(fine), Ok(Reach::Everybody)), "{fine}");
        }
        assert!(matches!(check_uri("http://127.0.0.1:8700/v1/blobs/00"), Ok(Reach::Unprotected)));
        assert!(matches!(check_uri("file:///tmp/digits.json"), Ok(Reach::Local)));
        for wrong in [
            "",
            "digits.json",
            "https://",
            "https:///x",
            "ftp://a/b",
            "javascript://a/b",
            "data:text/html,x",
            "file://host/x",
            "https://a b",
            "https://a\u{202e}b",
            "https://a\n",
            "HTTPS://a.example",
        ] {
            assert!(matches!(check_uri(wrong), Err(AssetError::BadUri { .. })), "{wrong}");
        }
        let long = format!("https://{}", "x".repeat(MAX_URI_LEN));
        assert!(matches!(check_uri(&long), Err(AssetError::UriTooLong(_))));
    }
}
