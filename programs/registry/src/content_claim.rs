//! Content claims: who registered these bytes first, by commit and reveal.
//!
//! A content root is public the moment a registration is sent, so whoever sees it could register the same content
//! before it lands. Therefore a claimant first claims a hash that hides the root and names himself, waits
//! [`MIN_CLAIM_AGE`](crate::MIN_CLAIM_AGE) slots, and then registers, which reveals root and salt. A copier's own claim
//! is too young by then, and nobody can use a claim that names another.
//!
//! A claim proves who registered these bytes first, not who made them. It blocks nobody: others may claim and register
//! the same content while it is open, and the first registration wins. A stranger who sees `claim_content` and copies
//! its hash blocks that one hash; another salt gives another.

use anchor_lang::prelude::*;
use provena_arith::{domain, hash::sha256};

/// The hash that `claim_content` takes: SHA-256 of the domain, the claimant, the content root and a secret salt of 32
/// random bytes.
pub fn claim_hash(claimant: &Address, content_root: &[u8; 32], salt: &[u8; 32]) -> [u8; 32] {
    sha256(&[domain::CONTENT_CLAIM, claimant.as_ref(), content_root, salt])
}
