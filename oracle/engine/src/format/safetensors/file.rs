//! The header of a safetensors file.

use std::collections::BTreeMap;

use safetensors::{Dtype, tensor::Metadata};

use super::super::{
    encoding::Encoding,
    weights::{Order, Place, Source},
};
use crate::error::Error;

/// The longest header that is read, or headers of all shards: names and shapes of any real model fit many times over.
pub(super) const MAX_HEADER_LEN: u64 = 16 << 20;
/// The most dimensions of a tensor.
const MAX_DIMS: usize = 8;

/// A checked header.
pub(super) struct Header {
    metadata: Metadata,
    /// In bytes.
    pub len: u64,
    /// The tensors' names in the order of their bytes.
    names: Vec<String>,
}

impl Header {
    /// Reads the header and checks it against the file's length before anything is allocated.
    pub(super) fn read(source: &Source) -> Result<Self, Error> {
        let name = source.name();
        let Some(rest) = source.len.checked_sub(8) else {
            let len = source.len;
            return Err(Error::Import(format!("a safetensors file has at least 8 bytes, {name} has {len}: truncated")));
        };
        let mut prefix = [0; 8];
        source.read_at(0, &mut prefix)?;
        let len = u64::from_le_bytes(prefix);
        if len > MAX_HEADER_LEN {
            let reason = format!("the safetensors header of {name} has {len} bytes, more than {MAX_HEADER_LEN}");
            return Err(Error::Import(reason));
        }
        let Some(data_len) = rest.checked_sub(len) else {
            return Err(Error::Import(format!(
                "the safetensors header of {name} has {len} bytes, but only {rest} follow: truncated"
            )));
        };
        // MAX_HEADER_LEN fits any usize.
        let mut section = vec![0; len as usize];
        source.read_at(8, &mut section)?;
        let damaged = |reason: String| Error::Import(format!("{name} is damaged or truncated: {reason}"));
        // What decodes it believes the last of equal names.
        crate::json::unique(&section).map_err(|e| damaged(format!("its header: {e}")))?;
        // Decoding also checks that tensors follow each other without gap or overlap and have the lengths of their
        // shapes.
        let metadata: Metadata = serde_json::from_slice(&section).map_err(|e| damaged(format!("its header: {e}")))?;
        if metadata.data_len() as u64 != data_len {
            let needed = metadata.data_len();
            return Err(damaged(format!("its tensors have {needed} bytes, but {data_len} follow the header")));
        }
        let names = metadata.offset_keys();
        Ok(Self { metadata, len, names })
    }

    /// The names of its tensors, in the order of their bytes.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Adds the weights of the file, which is the source of this number, to `tensors`.
    pub(super) fn place(self, source: usize, tensors: &mut BTreeMap<String, Place>) -> Result<(), Error> {
        for name in self.names {
            let info = self.metadata.info(&name).expect("a header's names are in it");
            let encoding = match info.dtype {
                Dtype::F32 => Encoding::F32,
                Dtype::BF16 => Encoding::BF16,
                Dtype::F16 => Encoding::F16,
                // Integers are no weights in any model that is imported here.
                Dtype::I64 | Dtype::I32 | Dtype::U8 | Dtype::BOOL => continue,
                other => {
                    let reason = format!("elements of type {other:?} are not supported, only F32, BF16 and F16");
                    return Err(Error::import_tensor(name, reason));
                }
            };
            if info.shape.len() > MAX_DIMS {
                return Err(Error::import_tensor(name, format!("{} dimensions are too many", info.shape.len())));
            }
            // A tensor without elements may have any other dimensions.
            if info.shape.iter().skip(1).try_fold(1usize, |product, dim| product.checked_mul(*dim)).is_none() {
                return Err(Error::import_tensor(name, format!("has the shape {:?}, which is too large", info.shape)));
            }
            let offset = 8 + self.len + info.data_offsets.0 as u64;
            let place = Place { source, offset, encoding, shape: info.shape.clone(), order: Order::Straight };
            tensors.insert(name, place);
        }
        Ok(())
    }
}
