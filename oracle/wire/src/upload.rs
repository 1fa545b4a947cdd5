//! Uploads: what a wallet signs so that a node keeps a request for it before the job exists.
//!
//! A node takes a blob from a stranger only for a reason: a job on the chain that names it, or a wallet's signature over
//! an [`Upload`]. The signature names one node and one moment, so that whoever sees it can use it nowhere else and not later.

use ed25519_dalek::{SIGNATURE_LENGTH, Signature, Signer, SigningKey, VerifyingKey};
use provena_arith::{domain, hash::Hash};

/// HTTP header: address of the job that names the blob as its input, in base58.
pub const JOB_HEADER: &str = "provena-job";
/// HTTP header: the wallet that signed, in base58.
pub const WALLET_HEADER: &str = "provena-wallet";
/// HTTP header: the slot of the statement, in decimal.
pub const SLOT_HEADER: &str = "provena-slot";
/// HTTP header: the signature, in base58.
pub const SIGNATURE_HEADER: &str = "provena-signature";

/// Slots by which a statement may be older than what the node sees, or newer.
pub const UPLOAD_SLOTS: u64 = 150;

/// A wallet's statement that it wants one node to keep one blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upload {
    /// Genesis hash of the cluster.
    pub cluster: Hash,
    /// The node's authority.
    pub node: [u8; 32],
    /// Content root of the blob.
    pub root: Hash,
    /// Bytes of the blob.
    pub len: u64,
    /// A slot that the wallet saw just now.
    pub slot: u64,
}

impl Upload {
    /// What is signed.
    #[must_use]
    pub fn preimage(&self) -> Vec<u8> {
        let Self { cluster, node, root, len, slot } = self;
        [domain::UPLOAD, cluster, node, root, &len.to_le_bytes(), &slot.to_le_bytes()].concat()
    }

    /// The wallet's signature, in base58.
    #[must_use]
    pub fn sign(&self, wallet: &SigningKey) -> String {
        bs58::encode(wallet.sign(&self.preimage()).to_bytes()).into_string()
    }

    /// Whether `signature`, in base58, is the wallet's.
    #[must_use]
    pub fn is_signed_by(&self, wallet: &[u8; 32], signature: &str) -> bool {
        let mut bytes = [0; SIGNATURE_LENGTH];
        let read = bs58::decode(signature).onto(&mut bytes).is_ok_and(|len| len == SIGNATURE_LENGTH);
        let Ok(wallet) = VerifyingKey::from_bytes(wallet) else { return false };
        read && wallet.verify_strict(&self.preimage(), &Signature::from_bytes(&bytes)).is_ok()
    }

    /// Whether the statement was made about now.
    #[must_use]
    pub fn is_fresh(&self, now: u64) -> bool {
        self.slot.abs_diff(now) <= UPLOAD_SLOTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload() -> Upload {
        Upload { cluster: [1; 32], node: [2; 32], root: [3; 32], len: 4, slot: 1_000 }
    }

    #[test]
    fn a_signature_holds_for_one_blob_on_one_node_at_one_moment() {
        let wallet = SigningKey::from_bytes(&[7; 32]);
        let address = wallet.verifying_key().to_bytes();
        let signature = upload().sign(&wallet);
        assert!(upload().is_signed_by(&address, &signature));
        assert!(!upload().is_signed_by(&[9; 32], &signature));
        let others = [
            Upload { cluster: [0; 32], ..upload() },
            Upload { node: [0; 32], ..upload() },
            Upload { root: [0; 32], ..upload() },
            Upload { len: 5, ..upload() },
            Upload { slot: 1_001, ..upload() },
        ];
        for other in others {
            assert!(!other.is_signed_by(&address, &signature), "{other:?}");
        }
        for broken in ["", "1", "not base58: 0OIl", &format!("{signature}1")] {
            assert!(!upload().is_signed_by(&address, broken), "{broken}");
        }
    }

    #[test]
    fn a_statement_is_fresh_for_150_slots_on_either_side() {
        for (now, fresh) in [(849, false), (850, true), (1_000, true), (1_150, true), (1_151, false)] {
            assert_eq!(upload().is_fresh(now), fresh, "{now}");
        }
    }
}
