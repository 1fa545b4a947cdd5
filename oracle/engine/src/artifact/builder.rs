//! Writes artifacts: the same tensors and recipe always give the same bytes.

use std::collections::BTreeMap;

use provena_arith::{fixed::Scale, hash::sha256};

use super::{
    ALIGN, Artifact, Dtype, MAGIC, PREFIX_LEN, Recipe, VERSION,
    header::{Header, TensorEntry},
};
use crate::{error::Error, plan::i8_stride};

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
        let mut bytes = vec![0u8; rows * i8_stride(cols)];
        for (to, from) in bytes.chunks_exact_mut(i8_stride(cols)).zip(values.chunks_exact(cols)) {
            to[..cols].copy_from_slice(bytemuck::cast_slice(from));
        }
        self.put(name, Dtype::I8, rows, cols, bytes);
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
    pub fn build(self, mut recipe: Recipe) -> Result<Artifact, Error> {
        recipe.tokenizer_sha256 = (!self.tokenizer.is_empty()).then(|| sha256(&[&self.tokenizer]));
        let encode = |value: borsh::io::Result<Vec<u8>>| value.map_err(|e| Error::Artifact(e.to_string()));
        let entries = self.tensors.iter().map(|(name, t)| TensorEntry {
            name: name.clone(),
            dtype: t.dtype,
            rows: t.rows as u32,
            cols: t.cols as u32,
            offset: 0,
            len: t.bytes.len() as u64,
        });
        let recipe = encode(borsh::to_vec(&recipe))?;
        let mut header = Header { recipe, tokenizer: self.tokenizer, tensors: entries.collect() };
        // Offsets have a fixed size, so the header's length is known before they are.
        let mut end = PREFIX_LEN + encode(borsh::to_vec(&header))?.len();
        for entry in &mut header.tensors {
            entry.offset = end.next_multiple_of(ALIGN) as u64;
            end = entry.offset as usize + entry.len as usize;
        }
        let section = encode(borsh::to_vec(&header))?;
        let section_len = u32::try_from(section.len()).map_err(|_| Error::Artifact("the header is too long".into()))?;
        let mut file = Vec::with_capacity(end);
        file.extend_from_slice(&MAGIC);
        file.extend_from_slice(&VERSION.to_le_bytes());
        file.extend_from_slice(&section_len.to_le_bytes());
        file.extend_from_slice(&section);
        for tensor in self.tensors.values() {
            file.resize(file.len().next_multiple_of(ALIGN), 0);
            file.extend_from_slice(&tensor.bytes);
        }
        Artifact::from_bytes(file)
    }
}
