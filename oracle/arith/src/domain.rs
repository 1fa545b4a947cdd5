//! Domain separation strings: every hash or signature of Provena starts with one of these.
//!
//! Two different kinds of message never share a preimage, because no string here is a prefix of another.

/// Content roots: the Merkle root of a file's chunks together with its length.
pub const CONTENT: &[u8] = b"provena.content.v1";
/// Recipe roots: the part of an artifact that says how the tensors are to be used.
pub const RECIPE: &[u8] = b"provena.recipe.v1";
/// Receipts that nodes sign.
pub const RECEIPT: &[u8] = b"provena.receipt.v2";
/// Commitments of nodes to a result that they will reveal.
pub const COMMITMENT: &[u8] = b"provena.commitment.v2";
/// Salts of commitments, which a node derives from a secret of its own.
pub const SALT: &[u8] = b"provena.salt.v2";
/// Hashes of an offer's terms.
pub const TERMS: &[u8] = b"provena.terms.v2";
/// Hashes of a job's terms: the offer's, and what its payer chose.
pub const JOB_TERMS: &[u8] = b"provena.job-terms.v2";
/// Claims of content before it is shown.
pub const CONTENT_CLAIM: &[u8] = b"provena.content-claim.v1";
/// Hashes of licence texts.
pub const LICENCE: &[u8] = b"provena.licence.v1";
/// Random words with which tokens are drawn.
pub const SAMPLING: &[u8] = b"provena.sampling.v1";
/// Statements of wallets that want a node to keep a blob.
pub const UPLOAD: &[u8] = b"provena.upload.v1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_domain_is_a_prefix_of_another() {
        let all =
            [CONTENT, RECIPE, RECEIPT, COMMITMENT, SALT, TERMS, JOB_TERMS, CONTENT_CLAIM, LICENCE, SAMPLING, UPLOAD];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                assert!(i == j || !b.starts_with(a), "{i} and {j}");
            }
        }
    }
}
