//! Addresses as people type them.

use solana_pubkey::Pubkey;

/// Reads an address.
///
/// # Errors
/// What an address looks like, for whoever typed something else.
pub(crate) fn parse(text: &str) -> Result<Pubkey, String> {
    text.parse().map_err(|_| match text.contains('…') {
        true => "not an address but a shortened one; `--full` prints whole ones, and `provena book` has names for them"
            .into(),
        false => "not an address; an address is 32 to 44 letters and digits, as provena prints them".into(),
    })
}

#[cfg(test)]
mod unit {
    use super::parse;

    #[test]
    fn an_address_is_read_and_anything_else_is_explained() {
        let text = "FLMpa898vXMExH9CgE6LQF8BaEfWn7X3XCtuGZxEm512";
        assert_eq!(parse(text).map(|address| address.to_string()), Ok(text.to_owned()));
        for wrong in ["", "xyz", &text[..30], "0OIl"] {
            assert!(parse(wrong).is_err_and(|why| why.starts_with("not an address")), "{wrong}");
        }
        let why = parse("FLMp…m512").unwrap_err();
        assert!(why.contains("--full") && why.contains("provena book"), "{why}");
    }
}
