//! Content roots: a Merkle tree over chunks of 64 KiB.
//!
//! - leaf = H(0x00 || chunk), node = H(0x01 || left || right), an odd node is promoted unchanged;
//! - root = H("provena.content.v1" || length as u64 little-endian || root of the tree).
//!
//! The prefixes keep a leaf from being read as a node, and the length keeps content of different lengths apart.
//! Empty content has no root.

use alloc::vec::Vec;

use crate::{
    domain,
    hash::{Hash, sha256},
};

/// Bytes per chunk; only the last chunk may be shorter.
pub const CHUNK_LEN: usize = 64 * 1024;

/// Levels of the tallest tree: 2^64 bytes are 2^48 chunks.
const MAX_LEVELS: usize = 49;

/// Why there is no root or no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MerkleError {
    /// Empty content has no root.
    Empty,
    /// The content has fewer chunks than the index asked for.
    NoSuchChunk,
}

impl core::fmt::Display for MerkleError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty content has no content root",
            Self::NoSuchChunk => "the content has no chunk with this index",
        })
    }
}

impl core::error::Error for MerkleError {}

fn leaf(chunk: &[u8]) -> Hash {
    sha256(&[&[0x00], chunk])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[0x01], left, right])
}

/// The content root of `len` bytes whose tree has the root `tree`: whoever shows both proves how long content is.
pub fn root_of(len: u64, tree: &Hash) -> Hash {
    sha256(&[domain::CONTENT, &len.to_le_bytes(), tree])
}

/// The content root of a single chunk, without a tree: what [`content_root`] gives for it. `None` for empty content and for
/// more than [`CHUNK_LEN`] bytes.
pub fn chunk_root(content: &[u8]) -> Option<Hash> {
    let single = !content.is_empty() && content.len() <= CHUNK_LEN;
    single.then(|| root_of(content.len() as u64, &leaf(content)))
}

/// The chunks that `len` bytes make.
pub const fn chunk_count(len: u64) -> u64 {
    len.div_ceil(CHUNK_LEN as u64)
}

/// The content root of `content`.
///
/// # Errors
/// [`MerkleError::Empty`] for empty content.
pub fn content_root(content: &[u8]) -> Result<Hash, MerkleError> {
    Ok(root_of(content.len() as u64, &tree_root(content)?))
}

/// The root of `content`'s tree alone, of which [`root_of`] makes its content root.
///
/// # Errors
/// [`MerkleError::Empty`] for empty content.
pub fn tree_root(content: &[u8]) -> Result<Hash, MerkleError> {
    let mut tree = Tree::new();
    for chunk in content.chunks(CHUNK_LEN) {
        tree.push(leaf(chunk));
    }
    tree.fold().ok_or(MerkleError::Empty)
}

/// The roots of the complete subtrees seen so far, tallest first: a binary counter of leaves.
struct Tree {
    peaks: [Hash; MAX_LEVELS],
    depth: usize,
    leaves: u64,
}

impl Tree {
    const fn new() -> Self {
        Self { peaks: [[0; 32]; MAX_LEVELS], depth: 0, leaves: 0 }
    }

    fn push(&mut self, mut hash: Hash) {
        // Each trailing one of the counter is a finished subtree of the same height as the carry.
        for _ in 0..self.leaves.trailing_ones() {
            self.depth -= 1;
            hash = node(&self.peaks[self.depth], &hash);
        }
        self.peaks[self.depth] = hash;
        self.depth += 1;
        self.leaves += 1;
    }

    fn fold(&self) -> Option<Hash> {
        let (last, rest) = self.peaks[..self.depth].split_last()?;
        Some(rest.iter().rev().fold(*last, |right, left| node(left, &right)))
    }
}

/// A content root computed from a stream, in constant memory.
#[cfg(not(target_os = "solana"))]
pub struct ContentHasher {
    tree: Tree,
    leaf: sha2::Sha256,
    in_leaf: usize,
    len: u64,
}

#[cfg(not(target_os = "solana"))]
impl Default for ContentHasher {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(not(target_os = "solana"))]
impl ContentHasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self { tree: Tree::new(), leaf: Self::open_leaf(), in_leaf: 0, len: 0 }
    }

    fn open_leaf() -> sha2::Sha256 {
        use sha2::Digest;
        sha2::Sha256::new_with_prefix([0x00])
    }

    fn close_leaf(&mut self) {
        use sha2::Digest;
        let leaf = core::mem::replace(&mut self.leaf, Self::open_leaf());
        self.tree.push(leaf.finalize().into());
        self.in_leaf = 0;
    }

    /// Appends `bytes` to the content.
    pub fn update(&mut self, mut bytes: &[u8]) {
        use sha2::Digest;
        self.len += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK_LEN - self.in_leaf));
            self.leaf.update(now);
            self.in_leaf += now.len();
            bytes = later;
            if self.in_leaf == CHUNK_LEN {
                self.close_leaf();
            }
        }
    }

    /// Bytes seen so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was seen yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The content root of everything that was seen.
    ///
    /// # Errors
    /// [`MerkleError::Empty`] when nothing was.
    pub fn finish(mut self) -> Result<Hash, MerkleError> {
        if self.in_leaf > 0 {
            self.close_leaf();
        }
        Ok(root_of(self.len, &self.tree.fold().ok_or(MerkleError::Empty)?))
    }
}

/// The siblings from chunk `index` up to the root, lowest first; levels where the chunk's node is promoted give none.
///
/// # Errors
/// [`MerkleError`] for empty content or an index past its end.
pub fn proof(content: &[u8], index: u64) -> Result<Vec<Hash>, MerkleError> {
    let mut level: Vec<Hash> = content.chunks(CHUNK_LEN).map(leaf).collect();
    if level.is_empty() {
        return Err(MerkleError::Empty);
    }
    let mut at = usize::try_from(index).map_err(|_| MerkleError::NoSuchChunk)?;
    if at >= level.len() {
        return Err(MerkleError::NoSuchChunk);
    }
    let mut siblings = Vec::new();
    while level.len() > 1 {
        siblings.extend(level.get(at ^ 1));
        level = level.chunks(2).map(|pair| pair.get(1).map_or(pair[0], |right| node(&pair[0], right))).collect();
        at /= 2;
    }
    Ok(siblings)
}

/// Whether `chunk` is chunk `index` of the content of `len` bytes whose content root is `root`.
pub fn verify(root: &Hash, len: u64, index: u64, chunk: &[u8], siblings: &[Hash]) -> bool {
    let mut width = chunk_count(len);
    if index >= width {
        return false;
    }
    let expected = if index + 1 == width { len - index * CHUNK_LEN as u64 } else { CHUNK_LEN as u64 };
    if chunk.len() as u64 != expected {
        return false;
    }
    let mut siblings = siblings.iter();
    let (mut at, mut hash) = (index, leaf(chunk));
    while width > 1 {
        if at % 2 == 1 {
            let Some(left) = siblings.next() else { return false };
            hash = node(left, &hash);
        } else if at + 1 < width {
            let Some(right) = siblings.next() else { return false };
            hash = node(&hash, right);
        }
        at /= 2;
        width = width.div_ceil(2);
    }
    siblings.next().is_none() && root_of(len, &hash) == *root
}
