//! Where everything lies in an artifact file, decided before any tensor is there.

use provena_arith::hash::sha256;

use super::{
    ALIGN, Dtype, MAGIC, MAX_FILE_LEN, PREFIX_LEN, Recipe, VERSION,
    header::{Header, TensorEntry},
};
use crate::error::Error;

/// A tensor that an artifact is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Type of its elements.
    pub dtype: Dtype,
    /// Number of rows; 1 for vectors.
    pub rows: usize,
    /// Number of columns, without padding.
    pub cols: usize,
}

impl Entry {
    /// A tensor of this name, type and shape.
    pub fn new(name: impl Into<String>, dtype: Dtype, rows: usize, cols: usize) -> Self {
        Self { name: name.into(), dtype, rows, cols }
    }

    /// A vector.
    pub fn vector(name: impl Into<String>, dtype: Dtype, len: usize) -> Self {
        Self::new(name, dtype, 1, len)
    }

    /// The weight, the bias and the scale of a matrix product.
    pub fn product(name: &str, outputs: usize, inputs: usize) -> [Self; 3] {
        [
            Self::new(format!("{name}.weight"), Dtype::I8, outputs, inputs),
            Self::vector(format!("{name}.bias"), Dtype::I32, outputs),
            Self::vector(format!("{name}.scale"), Dtype::Scale, outputs),
        ]
    }
}

/// A file without its tensors.
pub(super) struct Layout {
    /// The file up to the end of its header.
    pub beginning: Vec<u8>,
    /// Every tensor and its place, in the order of names, which is that of places.
    pub tensors: Vec<TensorEntry>,
    /// Length of the file.
    pub len: u64,
}

impl Layout {
    /// Lays out a file; `recipe.tokenizer_sha256` is filled in here.
    ///
    /// # Errors
    /// [`Error::Artifact`] when the recipe or a tensor breaks the format's limits.
    pub(super) fn new(mut recipe: Recipe, tokenizer: Vec<u8>, mut entries: Vec<Entry>) -> Result<Self, Error> {
        recipe.tokenizer_sha256 = (!tokenizer.is_empty()).then(|| sha256(&[&tokenizer]));
        let encode = |value: borsh::io::Result<Vec<u8>>| value.map_err(|e| Error::Artifact(e.to_string()));
        let recipe = encode(borsh::to_vec(&recipe))?;
        Recipe::read(&recipe)?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let tensor = |entry: Entry| {
            let too_large = |_| Error::tensor(&entry.name, format!("has the shape [{}][{}]", entry.rows, entry.cols));
            let (rows, cols) = (entry.rows.try_into().map_err(too_large)?, entry.cols.try_into().map_err(too_large)?);
            Ok(TensorEntry { name: entry.name, dtype: entry.dtype, rows, cols, offset: 0, len: 0 })
        };
        let tensors = entries.into_iter().map(tensor).collect::<Result<_, Error>>()?;
        let mut header = Header { recipe, tokenizer, tensors };
        header.check_tensors()?;
        // Offsets have a fixed size, so the header's length is known before they are.
        let mut end = (PREFIX_LEN + encode(borsh::to_vec(&header))?.len()) as u64;
        for entry in &mut header.tensors {
            entry.len = TensorEntry::expected_len(entry.dtype, entry.rows, entry.cols);
            entry.offset = end.next_multiple_of(ALIGN as u64);
            end = entry.offset.saturating_add(entry.len);
            if end > MAX_FILE_LEN {
                return Err(Error::Artifact(format!("{end} bytes are more than {MAX_FILE_LEN}")));
            }
        }
        let section = encode(borsh::to_vec(&header))?;
        let section_len = u32::try_from(section.len()).map_err(|_| Error::Artifact("the header is too long".into()))?;
        let beginning = [&MAGIC, &VERSION.to_le_bytes(), &section_len.to_le_bytes(), &section[..]].concat();
        Ok(Self { beginning, tensors: header.tensors, len: end })
    }
}
