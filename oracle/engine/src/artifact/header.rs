//! The header and the checks that make the rest of the engine safe from hostile files.

use borsh::{BorshDeserialize, BorshSerialize};

use super::{ALIGN, Dtype, MAGIC, PREFIX_LEN, TensorRef, VERSION};
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
#[derive(BorshSerialize, BorshDeserialize)]
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
    pub fn expected_len(dtype: Dtype, rows: u32, cols: u32) -> u64 {
        let stride = if dtype == Dtype::I8 { i8_stride(cols as usize) as u64 } else { u64::from(cols) };
        u64::from(rows) * stride * dtype.size() as u64
    }

    /// The tensor's bytes in the file, which [`Header::read`] has checked.
    pub fn view<'a>(&'a self, file: &'a [u8]) -> TensorRef<'a> {
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

impl Header {
    /// Reads the header of a file and checks all of it against the file's length.
    pub fn read(file: &[u8]) -> Result<Self, Error> {
        let Some((prefix, rest)) = file.split_first_chunk::<PREFIX_LEN>() else {
            return invalid(format!("{} bytes are too few", file.len()));
        };
        if prefix[..4] != MAGIC {
            return invalid("it does not begin with PVNA");
        }
        let word = |at: usize| u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]]);
        if word(4) != VERSION {
            return invalid(format!("format version {} is unknown, this engine reads version {VERSION}", word(4)));
        }
        let header_len = word(8) as usize;
        let Some(section) = rest.get(..header_len) else {
            return invalid(format!("the header's length is {header_len}, but only {} bytes follow", rest.len()));
        };
        let header: Self = borsh::from_slice(section).map_err(|e| Error::Artifact(format!("header: {e}")))?;
        header.check(file, PREFIX_LEN + header_len)?;
        Ok(header)
    }

    /// Checks everything about the tensors but their places.
    pub fn check_tensors(&self) -> Result<(), Error> {
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

    fn check(&self, file: &[u8], header_end: usize) -> Result<(), Error> {
        self.check_tensors()?;
        // One encoding per content: tensors lie in the table's order, each at the next multiple of 64, zeros between,
        // nothing after the last. So nothing overlaps and no byte of the file is without meaning.
        let mut end = header_end;
        for entry in &self.tensors {
            let name = &entry.name;
            if entry.len != TensorEntry::expected_len(entry.dtype, entry.rows, entry.cols) {
                return invalid(format!("tensor {name:?} has {} bytes, which its shape contradicts", entry.len));
            }
            let start = end.next_multiple_of(ALIGN);
            if entry.offset != start as u64 {
                return invalid(format!("tensor {name:?} starts at {}, must start at {start}", entry.offset));
            }
            let within = usize::try_from(entry.len).ok().and_then(|len| start.checked_add(len));
            let Some(next) = within.filter(|next| *next <= file.len()) else {
                return invalid(format!("tensor {name:?} ends past the end of the file (truncated?)"));
            };
            if file[end..start].iter().any(|b| *b != 0) {
                return invalid(format!("the bytes before tensor {name:?} are not zero"));
            }
            end = next;
        }
        if end != file.len() {
            return invalid(format!("{} bytes follow the last tensor", file.len() - end));
        }
        Ok(())
    }
}
