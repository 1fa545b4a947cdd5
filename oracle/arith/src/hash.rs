//! SHA-256, the one hash of Provena.
//!
//! On the chain it is the runtime's own function (about 85 compute units and one per 2 bytes); elsewhere the `sha2` crate.

/// A SHA-256 digest.
pub type Hash = [u8; 32];

#[cfg(target_os = "solana")]
unsafe extern "C" {
    fn sol_sha256(vals: *const u8, val_len: u64, hash_result: *mut u8) -> u64;
}

/// The SHA-256 digest of the concatenation of `parts`.
#[cfg(target_os = "solana")]
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut out = [0u8; 32];
    // SAFETY: the runtime reads `parts.len()` pairs of (address, length), which is how the chain's target lays out
    // `&[&[u8]]`, and writes 32 bytes to `out`. It aborts the program instead of returning an error.
    unsafe { sol_sha256(parts.as_ptr().cast(), parts.len() as u64, out.as_mut_ptr()) };
    out
}

/// The SHA-256 digest of the concatenation of `parts`.
#[cfg(not(target_os = "solana"))]
pub fn sha256(parts: &[&[u8]]) -> Hash {
    use sha2::Digest;
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4's example "abc", given in one part and in several.
    #[test]
    fn sha256_is_the_standard_one_however_the_input_is_cut() {
        let abc = [
            0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03,
            0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
        ];
        assert_eq!(sha256(&[b"abc"]), abc);
        assert_eq!(sha256(&[b"a", b"", b"bc"]), abc);
    }
}
