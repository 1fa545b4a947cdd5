//! What a node signs about a piece of paid work.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    domain,
    hash::{Hash, sha256},
};

/// The layout of [`Receipt`] that this crate writes.
pub const RECEIPT_VERSION: u8 = 2;
/// Bytes of a receipt in Borsh: every field has a fixed size.
pub const RECEIPT_LEN: usize = 1 + 1 + 12 * 32 + 8 + 4 + 8 + 1 + 4 + 4 + 8;
/// Bytes of the message that is signed.
pub const PREIMAGE_LEN: usize = domain::RECEIPT.len() + RECEIPT_LEN;

/// Engine class `int-v1`: bit-exact integers, the only class that nodes may agree on.
pub const ENGINE_CLASS_INT_V1: u8 = 1;
/// Engine class `f32`: import and quality checks; never signed for a quorum.
pub const ENGINE_CLASS_F32: u8 = 2;

/// Kind of receipt: the work was a job.
pub const KIND_JOB: u8 = 1;
/// Kind of receipt: the work was a call of a session.
pub const KIND_SESSION: u8 = 2;
/// Kind of receipt: the work was a call paid into a till.
pub const KIND_TILL: u8 = 3;

/// A node's statement that `result_root` is what a version of a model gives for one input, and what it was paid for it.
///
/// It can be checked after the accounts it speaks of are closed: it carries payer, terms, mint and fee itself.
/// Addresses are plain 32 bytes so that the same type serves the chain, the node and an offline verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// [`RECEIPT_VERSION`].
    pub version: u8,
    /// [`KIND_JOB`], [`KIND_SESSION`] or [`KIND_TILL`].
    pub kind: u8,
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// Address of the program through which the work was paid.
    pub program: [u8; 32],
    /// Address of the job, session or till.
    pub place: [u8; 32],
    /// Number of the call in its session or till; 0 for a job.
    pub number: u64,
    /// Authority of the node, which is also the key that signs.
    pub node: [u8; 32],
    /// Who paid.
    pub payer: [u8; 32],
    /// Mint of the model's NFT.
    pub asset: [u8; 32],
    /// The version of the asset that was run.
    pub asset_version: u32,
    /// Content root of the artifact that was run.
    pub content_root: [u8; 32],
    /// Recipe root of that artifact.
    pub recipe_root: [u8; 32],
    /// Content root of the request's bytes.
    pub input_root: [u8; 32],
    /// Content root of the response's bytes.
    pub result_root: [u8; 32],
    /// Hash of the terms under which it was paid; for a job, the job's own.
    pub terms_hash: [u8; 32],
    /// Mint of the payment; zeros for SOL.
    pub mint: [u8; 32],
    /// The fee, in base units of the mint.
    pub amount: u64,
    /// [`ENGINE_CLASS_INT_V1`] or [`ENGINE_CLASS_F32`].
    pub engine_class: u8,
    /// Units of input that were read.
    pub units_in: u32,
    /// Units of output that were made.
    pub units_out: u32,
    /// Slot of the chain in which the job was posted, or the call was accepted.
    pub slot: u64,
}

impl Receipt {
    /// The message that the node's Ed25519 key signs: the domain, then the receipt in Borsh.
    pub fn preimage(&self) -> [u8; PREIMAGE_LEN] {
        let mut out = [0u8; PREIMAGE_LEN];
        let mut rest: &mut [u8] = &mut out;
        let mut put = |part: &[u8]| {
            let (head, tail) = core::mem::take(&mut rest).split_at_mut(part.len());
            head.copy_from_slice(part);
            rest = tail;
        };
        put(domain::RECEIPT);
        put(&[self.version, self.kind]);
        put(&self.cluster);
        put(&self.program);
        put(&self.place);
        put(&self.number.to_le_bytes());
        put(&self.node);
        put(&self.payer);
        put(&self.asset);
        put(&self.asset_version.to_le_bytes());
        for root in [&self.content_root, &self.recipe_root, &self.input_root, &self.result_root] {
            put(root);
        }
        put(&self.terms_hash);
        put(&self.mint);
        put(&self.amount.to_le_bytes());
        put(&[self.engine_class]);
        put(&self.units_in.to_le_bytes());
        put(&self.units_out.to_le_bytes());
        put(&self.slot.to_le_bytes());
        out
    }

    /// SHA-256 of the preimage: a receipt's short name.
    pub fn id(&self) -> Hash {
        sha256(&[&self.preimage()])
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::known::hex;

    fn receipt() -> Receipt {
        let root = |n: u8| core::array::from_fn(|i| n.wrapping_add(i as u8));
        Receipt {
            version: RECEIPT_VERSION,
            kind: KIND_SESSION,
            cluster: root(1),
            program: root(2),
            place: root(3),
            number: 0x1112_1314_1516_1718,
            node: root(4),
            payer: root(5),
            asset: root(6),
            asset_version: 0x2122_2324,
            content_root: root(7),
            recipe_root: root(8),
            input_root: root(9),
            result_root: root(10),
            terms_hash: root(11),
            mint: root(12),
            amount: 0x3132_3334_3536_3738,
            engine_class: ENGINE_CLASS_INT_V1,
            units_in: 0x4142_4344,
            units_out: 0x5152_5354,
            slot: 0x6162_6364_6566_6768,
        }
    }

    #[test]
    fn the_preimage_is_the_domain_and_borsh() {
        let receipt = receipt();
        let mut expected = Vec::from(domain::RECEIPT);
        expected.extend(borsh::to_vec(&receipt).unwrap());
        assert_eq!(receipt.preimage().as_slice(), expected);
        assert_eq!(borsh::from_slice::<Receipt>(&expected[domain::RECEIPT.len()..]).unwrap(), receipt);
        assert_eq!(receipt.id(), sha256(&[&expected]));
    }

    /// The expected value was computed apart from this code, with Python's `hashlib`.
    #[test]
    fn the_id_is_the_known_one() {
        assert_eq!(hex(&receipt().id()), "a32845ec9536d1210d68049f0ba8ffd17d81be1f558734b15dff69b550b19b20");
    }
}
