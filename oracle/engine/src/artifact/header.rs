//! The header and the checks that make the rest of the engine safe from hostile files.

use std::ops::Range;

use borsh::{BorshDeserialize, BorshSerialize};
use provena_arith::hash::sha256;

use super::{ALIGN, Dtype, MAGIC, PREFIX_LEN, Recipe, TensorRef, VERSION};
use crate::{error::Error, plan::i8_stride};

/// The most tensors that a file may list.
const MAX_TENSORS: usize = 65_536;
/// The longest name of a tensor, in bytes.
const MAX_NAME: usize = 256;
/// The most rows or columns of a tensor.
const MAX_DIM: u32 = 1 << 24;

/// The Borsh section.
#[derive(BorshSerialize, BorshDeserialize)]
pub(super) struct Header {
    /// Borsh of [`super::Recipe`].
    pub recipe: Vec<u8>,
    /// `tokenizer.json`, or nothing.
    pub tokenizer: Vec<u8>,
    /// Sorted by name, without repetition.
    pub tensors: Vec<TensorEntry>,
}

/// One line of the tensor table.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub(super) struct TensorEntry {
    pub name: String,
    pub dtype: Dtype,
    pub rows: u32,
    /// Columns that carry meaning; rows of `I8` are padded as `plan::i8_stride` says.
    pub cols: u32,
    /// From the beginning of the file, a multiple of 64.
    pub offset: u64,
    /// Bytes.
    pub len: u64,
}

impl TensorEntry {
    /// Bytes that a tensor of this type and shape has; it cannot overflow for dimensions up to `MAX_DIM`.
    pub(super) fn expected_len(dtype: Dtype, rows: u32, cols: u32) -> u64 {
        let stride = if dtype == Dtype::I8 { i8_stride(cols as usize) as u64 } else { u64::from(cols) };
        u64::from(rows) * stride * dtype.size() as u64
    }

    /// The tensor's bytes in the file, which [`Header::read`] has checked.
    pub(super) fn view<'a>(&'a self, file: &'a [u8]) -> TensorRef<'a> {
        let (start, len) = (self.offset as usize, self.len as usize);
        TensorRef {
            name: &self.name,
            dtype: self.dtype,
            rows: self.rows as usize,
            cols: self.cols as usize,
            bytes: &file[start..start + len],
        }
    }
}

fn invalid<T>(reason: impl Into<String>) -> Result<T, Error> {
    Err(Error::Artifact(reason.into()))
}

/// Checks the bytes before a tensor.
pub(super) fn check_gap(name: &str, bytes: &[u8]) -> Result<(), Error> {
    if bytes.iter().all(|b| *b == 0) {
        Ok(())
    } else {
        invalid(format!("the bytes before tensor {name:?} are not zero"))
    }
}

impl Header {
    /// Reads the header of a file and checks all of it against the file.
    pub(super) fn read(file: &[u8]) -> Result<Self, Error> {
        let len = file.len() as u64;
        let (section_len, rest) = match file.split_first_chunk::<PREFIX_LEN>() {
            Some((prefix, rest)) => (Self::len(prefix, len)?, rest),
            None => return invalid(format!("{len} bytes are too few")),
        };
        let header = Self::parse(&rest[..section_len], len)?;
        for (name, gap) in header.gaps(section_len) {
            check_gap(name, &file[gap.start as usize..gap.end as usize])?;
        }
        Ok(header)
    }

    /// What lies before each tensor, after a section of this length: the tensor's name, and where in the file it is.
    pub(super) fn gaps(&self, section_len: usize) -> impl Iterator<Item = (&str, Range<u64>)> {
        let ends = self.tensors.iter().map(|entry| entry.offset + entry.len);
        let ends = std::iter::once((PREFIX_LEN + section_len) as u64).chain(ends);
        self.tensors.iter().zip(ends).map(|(entry, end)| (entry.name.as_str(), end..entry.offset))
    }

    /// The recipe, which must name the tokenizer that is in the file.
    pub(super) fn recipe(&self) -> Result<Recipe, Error> {
        let recipe = Recipe::read(&self.recipe)?;
        let tokenizer_hash = (!self.tokenizer.is_empty()).then(|| sha256(&[&self.tokenizer]));
        if recipe.tokenizer_sha256 != tokenizer_hash {
            return invalid("the recipe names another tokenizer than the file holds");
        }
        Ok(recipe)
    }

    /// The length of the section that follows these first bytes of a file of `file_len` bytes.
    pub(super) fn len(prefix: &[u8; PREFIX_LEN], file_len: u64) -> Result<usize, Error> {
        if prefix[..4] != MAGIC {
            return invalid("it does not begin with PVNA");
        }
        let word = |at: usize| u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]]);
        if word(4) != VERSION {
            return invalid(format!("format version {} is unknown, this engine reads version {VERSION}", word(4)));
        }
        let follow = file_len.saturating_sub(PREFIX_LEN as u64);
        if u64::from(word(8)) > follow {
            return invalid(format!("the header's length is {}, but only {follow} bytes follow", word(8)));
        }
        Ok(word(8) as usize)
    }

    /// Reads the section of a file of `file_len` bytes and checks everything but what lies between the tensors.
    pub(super) fn parse(section: &[u8], file_len: u64) -> Result<Self, Error> {
        let header: Self = borsh::from_slice(section).map_err(|e| Error::Artifact(format!("header: {e}")))?;
        header.check(file_len, (PREFIX_LEN + section.len()) as u64)?;
        Ok(header)
    }

    /// Checks everything about the tensors but their places.
    pub(super) fn check_tensors(&self) -> Result<(), Error> {
        if self.tensors.len() > MAX_TENSORS {
            return invalid(format!("{} tensors are more than {MAX_TENSORS}", self.tensors.len()));
        }
        for pair in self.tensors.windows(2) {
            if pair[0].name >= pair[1].name {
                return invalid(format!("tensor {:?} is repeated or out of order", pair[1].name));
            }
        }
        for TensorEntry { name, rows, cols, .. } in &self.tensors {
            if name.is_empty() || name.len() > MAX_NAME {
                return invalid(format!("a tensor's name has {} bytes, allowed are 1 to {MAX_NAME}", name.len()));
            }
            if *rows == 0 || *cols == 0 || *rows > MAX_DIM || *cols > MAX_DIM {
                return invalid(format!("tensor {name:?} has the shape [{rows}][{cols}]"));
            }
        }
        Ok(())
    }

    fn check(&self, file_len: u64, header_end: u64) -> Result<(), Error> {
        self.check_tensors()?;
        // One encoding per content: tensors lie in the table's order, each at the next multiple of 64, zeros between,
        // nothing after the last. So nothing overlaps and no byte of the file is without meaning.
        let mut end = header_end;
        for entry in &self.tensors {
            let name = &entry.name;
            if entry.len != TensorEntry::expected_len(entry.dtype, entry.rows, entry.cols) {
                return invalid(format!("tensor {name:?} has {} bytes, which its shape contradicts", entry.len));
            }
            let start = end.next_multiple_of(ALIGN as u64);
            if entry.offset != start {
                return invalid(format!("tensor {name:?} starts at {}, must start at {start}", entry.offset));
            }
            let Some(next) = start.checked_add(entry.len).filter(|next| *next <= file_len) else {
                return invalid(format!("tensor {name:?} ends past the end of the file (truncated?)"));
            };
            end = next;
        }
        if end != file_len {
            return invalid(format!("{} bytes follow the last tensor", file_len - end));
        }
        Ok(())
    }
}
