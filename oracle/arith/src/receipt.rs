//! What a node commits to, reveals and signs.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    domain,
    hash::{Hash, sha256},
};

/// The layout of [`Receipt`] that this crate writes.
pub const RECEIPT_VERSION: u8 = 1;
/// Bytes of a receipt in Borsh: every field has a fixed size.
pub const RECEIPT_LEN: usize = 1 + 9 * 32 + 1 + 4 + 8;
/// Bytes of the message that is signed.
pub const PREIMAGE_LEN: usize = domain::RECEIPT.len() + RECEIPT_LEN;

/// Engine class `int-v1`: bit-exact integers, the only class that nodes may agree on.
pub const ENGINE_CLASS_INT_V1: u8 = 1;
/// Engine class `f32`: import and quality checks; never signed for a quorum.
pub const ENGINE_CLASS_F32: u8 = 2;

/// A node's statement that `result_root` is what the model gives for the input of one job.
///
/// Addresses are plain 32 bytes so that the same type serves the chain, the node and an offline verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// [`RECEIPT_VERSION`].
    pub version: u8,
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// Address of the market program.
    pub market_program: [u8; 32],
    /// Address of the job account.
    pub job: [u8; 32],
    /// Authority of the node, which is also the key that signs.
    pub node: [u8; 32],
    /// Mint of the model's NFT.
    pub asset: [u8; 32],
    /// Content root of the artifact that was run.
    pub content_root: [u8; 32],
    /// Recipe root of that artifact.
    pub recipe_root: [u8; 32],
    /// Content root of the request's bytes.
    pub input_root: [u8; 32],
    /// Content root of the response's bytes.
    pub result_root: [u8; 32],
    /// [`ENGINE_CLASS_INT_V1`] or [`ENGINE_CLASS_F32`].
    pub engine_class: u8,
    /// Units of work that were done.
    pub units: u32,
    /// The chain's slot when the node signed.
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
        put(&[self.version]);
        for root in [
            &self.cluster,
            &self.market_program,
            &self.job,
            &self.node,
            &self.asset,
            &self.content_root,
            &self.recipe_root,
            &self.input_root,
            &self.result_root,
        ] {
            put(root);
        }
        put(&[self.engine_class]);
        put(&self.units.to_le_bytes());
        put(&self.slot.to_le_bytes());
        out
    }

    /// SHA-256 of the preimage: a receipt's short name.
    pub fn id(&self) -> Hash {
        sha256(&[&self.preimage()])
    }
}

/// What a node publishes before anybody reveals: it binds the cluster, the program, the job and the node's own key,
/// so that copying another node's commitment gains nothing.
pub fn commitment(
    cluster: &[u8; 32],
    market_program: &[u8; 32],
    job: &[u8; 32],
    node: &[u8; 32],
    result_root: &[u8; 32],
    units: u32,
    salt: &[u8; 32],
) -> Hash {
    sha256(&[domain::COMMITMENT, cluster, market_program, job, node, result_root, &units.to_le_bytes(), salt])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn receipt() -> Receipt {
        let root = |n: u8| core::array::from_fn(|i| n.wrapping_add(i as u8));
        Receipt {
            version: RECEIPT_VERSION,
            cluster: root(1),
            market_program: root(2),
            job: root(3),
            node: root(4),
            asset: root(5),
            content_root: root(6),
            recipe_root: root(7),
            input_root: root(8),
            result_root: root(9),
            engine_class: ENGINE_CLASS_INT_V1,
            units: 0x0102_0304,
            slot: 0x0506_0708_090a_0b0c,
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

    #[test]
    fn a_commitment_changes_with_every_field() {
        let base = [[1u8; 32], [2; 32], [3; 32], [4; 32], [5; 32], [6; 32]];
        let of = |f: &[[u8; 32]; 6], units| commitment(&f[0], &f[1], &f[2], &f[3], &f[4], units, &f[5]);
        let first = of(&base, 7);
        assert_ne!(first, of(&base, 8));
        for i in 0..base.len() {
            let mut changed = base;
            changed[i][31] ^= 1;
            assert_ne!(first, of(&changed, 7), "field {i}");
        }
    }
}
