//! `.pvna`: one file that holds a model, its tokenizer and everything that fixes its answers.
//!
//! ```text
//! 0   magic "PVNA"                 4 bytes
//! 4   format version               u32, little-endian like everything else
//! 8   length of the header         u32
//! 12  header                       Borsh of `Header`: recipe, tokenizer, tensor table
//!     zeros up to a multiple of 64
//!     tensor data                  each tensor starts at a multiple of 64 from the file's beginning
//! ```
//!
//! The content root covers the whole file. The recipe root covers the recipe section alone, which names the
//! tokenizer by its hash. Reading checks every length and offset before it is used; no input makes it panic.

mod builder;
mod file;
mod header;
mod layout;
mod recipe;
mod tensor;
mod writer;

pub use builder::ArtifactBuilder;
pub use file::{ArtifactFile, Piece};
pub use layout::Entry;
pub use recipe::{
    Activations, BertRecipe, CnnRecipe, Convolution, Family, LlamaRecipe, MlpLayer, MlpRecipe, ModelRecipe, Recipe,
    Source,
};
pub use tensor::{Dtype, TensorRef};
pub use writer::ArtifactWriter;

use std::path::Path;

use provena_arith::{
    domain,
    hash::{Hash, sha256},
    merkle,
};
use serde::Serialize;

use crate::{error::Error, plan::TensorId};
use header::{Header, TensorEntry};

/// The first bytes of every artifact.
pub const MAGIC: [u8; 4] = *b"PVNA";
/// The version of the format that this crate reads and writes.
pub const VERSION: u32 = 1;
/// Alignment of tensors in the file, in bytes.
pub const ALIGN: usize = 64;
/// Bytes before the header.
const PREFIX_LEN: usize = 12;
/// Longest file that is read: a model that a node could not hold is refused before it is loaded.
pub const MAX_FILE_LEN: u64 = 16 << 30;

/// A model, ready to be planned.
pub struct Artifact {
    bytes: Vec<u8>,
    recipe: Recipe,
    tokenizer: Vec<u8>,
    tensors: Vec<TensorEntry>,
    content_root: Hash,
    recipe_root: Hash,
}

/// What `provena model show` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The model's name.
    pub name: String,
    /// The model's family.
    pub family: Family,
    /// Always "int-v1".
    pub class: &'static str,
    /// Lower-case hex.
    pub content_root: String,
    /// Lower-case hex.
    pub recipe_root: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// Number of tensors.
    pub tensors: usize,
    /// Elements of all weights and embeddings, padding included.
    pub parameters: u64,
    /// Longest input: tokens per text, or values per image.
    pub max_input: usize,
    /// Values per answer: width of a vector, or number of classes.
    pub outputs: usize,
    /// Where the float model came from.
    pub source: Source,
}

impl Summary {
    /// Of an artifact of `bytes` bytes.
    fn new(recipe: &Recipe, tensors: &[TensorEntry], bytes: u64, content_root: Hash, recipe_root: Hash) -> Self {
        let parameters = |e: &TensorEntry| if e.dtype.is_weight() { e.len / e.dtype.size() as u64 } else { 0 };
        Self {
            name: recipe.name.clone(),
            family: recipe.model.family(),
            class: "int-v1",
            content_root: hex(&content_root),
            recipe_root: hex(&recipe_root),
            bytes,
            tensors: tensors.len(),
            parameters: tensors.iter().map(parameters).sum(),
            max_input: recipe.model.max_input(),
            outputs: recipe.model.outputs(),
            source: recipe.source.clone(),
        }
    }
}

impl Artifact {
    /// Reads and checks an artifact file.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Artifact`] when it is not a valid artifact.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let len = std::fs::metadata(path).map_err(Error::read(path))?.len();
        if len > MAX_FILE_LEN {
            return Err(Error::Artifact(format!("{len} bytes are more than {MAX_FILE_LEN}")));
        }
        Self::from_bytes(std::fs::read(path).map_err(Error::read(path))?)
    }

    /// Checks an artifact's bytes.
    ///
    /// # Errors
    /// [`Error::Artifact`] when they are not a valid artifact.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        let header = Header::read(&bytes)?;
        let recipe = header.recipe()?;
        let content_root = merkle::content_root(&bytes).map_err(|e| Error::Artifact(e.to_string()))?;
        let recipe_root = sha256(&[domain::RECIPE, &header.recipe]);
        let Header { tokenizer, tensors, .. } = header;
        Ok(Self { bytes, recipe, tokenizer, tensors, content_root, recipe_root })
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Merkle root over the whole file.
    pub fn content_root(&self) -> Hash {
        self.content_root
    }

    /// Hash of the recipe section.
    pub fn recipe_root(&self) -> Hash {
        self.recipe_root
    }

    /// Bytes of the recipe section: Borsh, of which a recipe has one encoding.
    pub fn recipe_len(&self) -> u64 {
        borsh::object_length(&self.recipe).map_or(0, |len| len as u64)
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.recipe.name
    }

    /// The model's family.
    pub fn family(&self) -> Family {
        self.recipe.model.family()
    }

    /// How the tensors are to be used.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The tokenizer's `tokenizer.json`, empty for models without text.
    pub fn tokenizer(&self) -> &[u8] {
        &self.tokenizer
    }

    /// Number of tensors.
    pub fn tensor_count(&self) -> usize {
        self.tensors.len()
    }

    /// A tensor by its place in the table.
    ///
    /// # Panics
    /// When there is no such tensor: ids come from [`Artifact::find`] on the same artifact.
    pub fn tensor(&self, id: TensorId) -> TensorRef<'_> {
        self.tensors[id.0 as usize].view(&self.bytes)
    }

    /// Every tensor, in the table's order.
    pub fn tensors(&self) -> impl Iterator<Item = (TensorId, TensorRef<'_>)> {
        self.tensors.iter().enumerate().map(|(i, entry)| (TensorId(i as u32), entry.view(&self.bytes)))
    }

    /// The tensor of this name, which must have this type and shape.
    ///
    /// # Errors
    /// [`Error::Tensor`] when it is missing or differs.
    pub fn find(&self, name: &str, dtype: Dtype, rows: usize, cols: usize) -> Result<TensorId, Error> {
        let index = self.tensors.binary_search_by(|entry| entry.name.as_str().cmp(name));
        let index = index.map_err(|_| Error::tensor(name, "missing"))?;
        let found = self.tensors[index].view(&self.bytes);
        if (found.dtype, found.rows, found.cols) != (dtype, rows, cols) {
            let (d, r, c) = (found.dtype, found.rows, found.cols);
            return Err(Error::tensor(name, format!("is {d:?} [{r}][{c}], must be {dtype:?} [{rows}][{cols}]")));
        }
        Ok(TensorId(index as u32))
    }

    /// The vector tensor of this name, whatever its length.
    ///
    /// # Errors
    /// [`Error::Tensor`] when it is missing or not a vector of this type.
    pub fn find_table(&self, name: &str, dtype: Dtype) -> Result<(TensorId, usize), Error> {
        let index = self.tensors.binary_search_by(|entry| entry.name.as_str().cmp(name));
        let index = index.map_err(|_| Error::tensor(name, "missing"))?;
        let found = self.tensors[index].view(&self.bytes);
        if found.dtype != dtype || found.rows != 1 {
            return Err(Error::tensor(name, format!("is not a vector of {dtype:?}")));
        }
        Ok((TensorId(index as u32), found.cols))
    }

    /// What there is to know about the artifact, for people and for programs.
    pub fn summary(&self) -> Summary {
        let len = self.bytes.len() as u64;
        Summary::new(&self.recipe, &self.tensors, len, self.content_root, self.recipe_root)
    }
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artifact").field("name", &self.recipe.name).field("root", &hex(&self.content_root)).finish()
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
