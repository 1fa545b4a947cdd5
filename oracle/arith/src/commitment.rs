//! What is bound before it is shown: a node's commitment to a result, the salt that hides it, a claim of content.

use crate::{
    domain,
    hash::{Hash, sha256},
};

/// A result to which a node binds itself before anybody reveals.
///
/// It names the cluster, the program, the job with its terms and its posting, and the node itself: a copy of another
/// node's commitment opens nothing, and what was committed for one job says nothing about another at the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment<'a> {
    /// Genesis hash of the cluster.
    pub cluster: &'a [u8; 32],
    /// Address of the market program.
    pub program: &'a [u8; 32],
    /// Address of the job account.
    pub job: &'a [u8; 32],
    /// The job's own terms hash.
    pub terms_hash: &'a [u8; 32],
    /// Slot of the chain in which the job was posted.
    pub posted_slot: u64,
    /// Authority of the node.
    pub node: &'a [u8; 32],
    /// Content root of the response's bytes.
    pub result_root: &'a [u8; 32],
    /// Units of input that were read.
    pub units_in: u32,
    /// Units of output that were made.
    pub units_out: u32,
}

impl Commitment<'_> {
    /// The hash that goes on chain: SHA-256 over the domain, the fields in order (integers little endian), the salt.
    pub fn hash(&self, salt: &[u8; 32]) -> Hash {
        sha256(&[
            domain::COMMITMENT,
            self.cluster,
            self.program,
            self.job,
            self.terms_hash,
            &self.posted_slot.to_le_bytes(),
            self.node,
            self.result_root,
            &self.units_in.to_le_bytes(),
            &self.units_out.to_le_bytes(),
            salt,
        ])
    }
}

/// The salt of a commitment, so that it can be made again after a crash: SHA-256 over the domain, a key that the node
/// derives from its secret, the job, the content root of the request and the slot of posting (u64 little endian).
pub fn salt(key: &[u8; 32], job: &[u8; 32], input_root: &[u8; 32], posted_slot: u64) -> Hash {
    sha256(&[domain::SALT, key, job, input_root, &posted_slot.to_le_bytes()])
}

/// What claims content before it is shown: SHA-256 over the domain, the claimant's address, the content root, a salt.
pub fn content_claim(claimant: &[u8; 32], content_root: &[u8; 32], salt: &[u8; 32]) -> Hash {
    sha256(&[domain::CONTENT_CLAIM, claimant, content_root, salt])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::hex;

    const SALT_BYTES: [u8; 32] = [8; 32];

    fn commitment() -> Commitment<'static> {
        Commitment {
            cluster: &[1; 32],
            program: &[2; 32],
            job: &[3; 32],
            terms_hash: &[4; 32],
            posted_slot: 0x0102_0304_0506_0708,
            node: &[5; 32],
            result_root: &[6; 32],
            units_in: 0x0a0b_0c0d,
            units_out: 0x0e0f_1011,
        }
    }

    /// The expected values were computed apart from this code, with Python's `hashlib`.
    #[test]
    fn hashes_are_the_known_ones() {
        assert_eq!(
            hex(&commitment().hash(&SALT_BYTES)),
            "41fe6d6bba7ae219bb17723793ee2224121ae6c67e022a88857372b20520f90a"
        );
        assert_eq!(
            hex(&salt(&[1; 32], &[2; 32], &[3; 32], 0x0102_0304_0506_0708)),
            "3b7ae1545ebab234e5495f01a6b448c854405ac0d9fb1340262050f59d6a9f1c"
        );
        assert_eq!(
            hex(&content_claim(&[1; 32], &[2; 32], &[3; 32])),
            "1f63cd41b4764581bff894e766f9e906b74fb349e2bb5eb0aafb41c597af5e08"
        );
    }

    #[test]
    fn a_commitment_changes_with_every_field() {
        let first = commitment().hash(&SALT_BYTES);
        let other = &[9u8; 32];
        let changed = [
            Commitment { cluster: other, ..commitment() },
            Commitment { program: other, ..commitment() },
            Commitment { job: other, ..commitment() },
            Commitment { terms_hash: other, ..commitment() },
            Commitment { posted_slot: 7, ..commitment() },
            Commitment { node: other, ..commitment() },
            Commitment { result_root: other, ..commitment() },
            Commitment { units_in: 7, ..commitment() },
            Commitment { units_out: 7, ..commitment() },
        ];
        for (field, changed) in changed.iter().enumerate() {
            assert_ne!(first, changed.hash(&SALT_BYTES), "field {field}");
        }
        assert_ne!(first, commitment().hash(other));
    }

    #[test]
    fn units_in_and_out_are_not_interchangeable() {
        let swapped = Commitment { units_in: 0x0e0f_1011, units_out: 0x0a0b_0c0d, ..commitment() };
        assert_ne!(commitment().hash(&SALT_BYTES), swapped.hash(&SALT_BYTES));
    }
}
