//! Content roots against a naive tree, streamed and proved.

use proptest::prelude::*;
use provena_arith::{
    domain,
    hash::{Hash, sha256},
    merkle::{CHUNK_LEN, ContentHasher, MerkleError, chunk_root, content_root, proof, root_of, verify},
};

/// The tree as its definition reads, level by level.
fn naive_root(content: &[u8]) -> Hash {
    let mut level: Vec<Hash> = content.chunks(CHUNK_LEN).map(|c| sha256(&[&[0], c])).collect();
    while level.len() > 1 {
        level = level.chunks(2).map(|p| if p.len() == 2 { sha256(&[&[1], &p[0], &p[1]]) } else { p[0] }).collect();
    }
    sha256(&[domain::CONTENT, &(content.len() as u64).to_le_bytes(), &level[0]])
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[test]
fn empty_content_has_no_root() {
    assert_eq!(content_root(&[]), Err(MerkleError::Empty));
    assert_eq!(ContentHasher::new().finish(), Err(MerkleError::Empty));
    assert_eq!(proof(&[], 0), Err(MerkleError::Empty));
}

#[test]
fn a_known_root() {
    let root = content_root(b"provena").unwrap();
    let leaf = sha256(&[b"\0provena"]);
    assert_eq!(root, sha256(&[b"provena.content.v1", &7u64.to_le_bytes(), &leaf]));
}

#[test]
fn a_single_chunk_has_its_root_without_a_tree() {
    for len in [1, 8_192, CHUNK_LEN] {
        assert_eq!(chunk_root(&content(len)), content_root(&content(len)).ok(), "{len}");
    }
    assert_eq!(chunk_root(&[]), None);
    assert_eq!(chunk_root(&content(CHUNK_LEN + 1)), None);
}

#[test]
fn a_root_proves_its_length() {
    let text = content(9_000);
    let tree = sha256(&[&[0], &text]);
    assert_eq!(Ok(root_of(9_000, &tree)), content_root(&text));
    assert_ne!(Ok(root_of(8_999, &tree)), content_root(&text));
}

#[test]
fn every_number_of_chunks_agrees_with_the_naive_tree_and_every_chunk_is_proved() {
    for chunks in 1..=9usize {
        for tail in [1, CHUNK_LEN / 2, CHUNK_LEN] {
            let bytes = content((chunks - 1) * CHUNK_LEN + tail);
            let root = content_root(&bytes).unwrap();
            assert_eq!(root, naive_root(&bytes), "{chunks} chunks");
            for (index, chunk) in bytes.chunks(CHUNK_LEN).enumerate() {
                let siblings = proof(&bytes, index as u64).unwrap();
                let len = bytes.len() as u64;
                assert!(verify(&root, len, index as u64, chunk, &siblings));
                assert!(!verify(&root, len, index as u64 + 1, chunk, &siblings));
                assert!(!verify(&root, len + 1, index as u64, chunk, &siblings));
                let mut forged = chunk.to_vec();
                forged[0] ^= 1;
                assert!(!verify(&root, len, index as u64, &forged, &siblings));
                let mut longer = siblings.clone();
                longer.push([0; 32]);
                assert!(!verify(&root, len, index as u64, chunk, &longer));
                if let Some((_, shorter)) = siblings.split_last() {
                    assert!(!verify(&root, len, index as u64, chunk, shorter));
                }
            }
            assert_eq!(proof(&bytes, chunks as u64), Err(MerkleError::NoSuchChunk));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_stream_has_the_same_root_however_it_is_cut(len in 1usize..400_000, step in 1usize..100_000) {
        let bytes = content(len);
        let mut hasher = ContentHasher::new();
        for piece in bytes.chunks(step) {
            hasher.update(piece);
        }
        prop_assert_eq!(hasher.len(), len as u64);
        prop_assert_eq!(hasher.finish().unwrap(), content_root(&bytes).unwrap());
    }
}
