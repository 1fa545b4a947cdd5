//! Makes artifacts in memory: the same tensors and recipe always give the same bytes.

use std::collections::BTreeMap;

use provena_arith::fixed::Scale;

use super::{
    Artifact, Dtype, Recipe,
    layout::{Entry, Layout},
    tensor::padded,
};
use crate::error::Error;

struct Pending {
    dtype: Dtype,
    rows: usize,
    cols: usize,
    bytes: Vec<u8>,
}

/// Collects tensors and writes them as one artifact.
#[derive(Default)]
pub struct ArtifactBuilder {
    tensors: BTreeMap<String, Pending>,
    tokenizer: Vec<u8>,
}

impl ArtifactBuilder {
    /// An artifact without tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// The `tokenizer.json` that the model needs.
    pub fn tokenizer(&mut self, bytes: Vec<u8>) {
        self.tokenizer = bytes;
    }

    /// Adds a matrix of signed bytes, given without padding.
    pub fn i8(&mut self, name: impl Into<String>, rows: usize, cols: usize, values: &[i8]) {
        self.put(name, Dtype::I8, rows, cols, padded(cols, values));
    }

    /// Adds a matrix of signed 16-bit integers.
    pub fn i16(&mut self, name: impl Into<String>, rows: usize, cols: usize, values: &[i16]) {
        self.put(name, Dtype::I16, rows, cols, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    /// Adds a vector of 32-bit integers.
    pub fn i32(&mut self, name: impl Into<String>, values: &[i32]) {
        self.put(name, Dtype::I32, 1, values.len(), values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    /// Adds a vector of scales.
    pub fn scales(&mut self, name: impl Into<String>, values: &[Scale]) {
        self.put(name, Dtype::Scale, 1, values.len(), values.iter().flat_map(|v| v.0.to_le_bytes()).collect());
    }

    fn put(&mut self, name: impl Into<String>, dtype: Dtype, rows: usize, cols: usize, bytes: Vec<u8>) {
        self.tensors.insert(name.into(), Pending { dtype, rows, cols, bytes });
    }

    /// The finished artifact; `recipe.tokenizer_sha256` is filled in here.
    ///
    /// # Errors
    /// [`Error::Artifact`] when the recipe or a tensor breaks the format's limits.
    pub fn build(self, recipe: Recipe) -> Result<Artifact, Error> {
        let entries = self.tensors.iter().map(|(name, t)| Entry::new(name, t.dtype, t.rows, t.cols));
        let layout = Layout::new(recipe, self.tokenizer, entries.collect())?;
        let mut file = layout.beginning;
        file.reserve_exact((layout.len as usize).saturating_sub(file.len()));
        for (entry, tensor) in layout.tensors.iter().zip(self.tensors.values()) {
            if entry.len != tensor.bytes.len() as u64 {
                let reason = format!("has {} bytes, its shape needs {}", tensor.bytes.len(), entry.len);
                return Err(Error::Artifact(format!("tensor {:?} {reason}", entry.name)));
            }
            file.resize(entry.offset as usize, 0);
            file.extend_from_slice(&tensor.bytes);
        }
        Artifact::from_bytes(file)
    }
}
