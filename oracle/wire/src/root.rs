//! Content roots as people and URLs write them: 64 hex digits.

use provena_arith::hash::Hash;

/// Reads 64 hex digits as a root.
#[must_use]
pub fn parse(text: &str) -> Option<Hash> {
    let mut root = [0; 32];
    hex::decode_to_slice(text, &mut root).ok()?;
    Some(root)
}
