//! One safetensors file: its header first, its tensors one after the other.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use safetensors::tensor::Metadata;
use sha2::{Digest as _, Sha256};

use super::{
    FloatTensor,
    element::{Elements, elements},
};
use crate::error::Error;

/// The longest header that is read, or headers of all shards: names and shapes of any real model fit many times over.
pub const MAX_HEADER_LEN: u64 = 16 << 20;
/// The most dimensions of a tensor.
const MAX_DIMS: usize = 8;

/// A file whose header is read and checked, and whose tensors follow.
pub struct Opened<R> {
    path: PathBuf,
    input: R,
    header: Metadata,
    /// In bytes.
    pub header_len: u64,
    /// The tensors' names in the order of their bytes.
    names: Vec<String>,
    /// Has seen everything up to the first tensor.
    hasher: Sha256,
}

impl<R: Read> Opened<R> {
    /// Reads the header of a file of this length and checks it against that length before anything is allocated.
    pub fn new(path: impl Into<PathBuf>, len: u64, mut input: R) -> Result<Self, Error> {
        let path = path.into();
        let name = name(&path);
        let Some(rest) = len.checked_sub(8) else {
            return Err(Error::Import(format!("a safetensors file has at least 8 bytes, {name} has {len}: truncated")));
        };
        let mut prefix = [0; 8];
        input.read_exact(&mut prefix).map_err(Error::read(&path))?;
        let header_len = u64::from_le_bytes(prefix);
        if header_len > MAX_HEADER_LEN {
            let reason = format!("the safetensors header of {name} has {header_len} bytes, more than {MAX_HEADER_LEN}");
            return Err(Error::Import(reason));
        }
        let Some(data_len) = rest.checked_sub(header_len) else {
            return Err(Error::Import(format!(
                "the safetensors header of {name} has {header_len} bytes, but only {rest} follow: truncated"
            )));
        };
        // MAX_HEADER_LEN fits any usize.
        let mut section = vec![0; header_len as usize];
        input.read_exact(&mut section).map_err(Error::read(&path))?;
        let damaged = |reason: String| Error::Import(format!("{name} is damaged or truncated: {reason}"));
        // Decoding also checks that tensors follow each other without gap or overlap and have the lengths of their
        // shapes.
        let header: Metadata = serde_json::from_slice(&section).map_err(|e| damaged(format!("its header: {e}")))?;
        if header.data_len() as u64 != data_len {
            let needed = header.data_len();
            return Err(damaged(format!("its tensors have {needed} bytes, but {data_len} follow the header")));
        }
        let hasher = Sha256::new_with_prefix(prefix).chain_update(&section);
        let names = header.offset_keys();
        Ok(Self { path, input, header, header_len, names, hasher })
    }

    /// Reads all weights into `tensors` and gives the SHA-256 of the file.
    pub fn decode(mut self, tensors: &mut BTreeMap<String, FloatTensor>) -> Result<[u8; 32], Error> {
        let mut bytes = Vec::new();
        for name in self.names {
            let info = self.header.info(&name).expect("a header's names are in it");
            let (start, end) = info.data_offsets;
            bytes.resize(end - start, 0);
            self.input.read_exact(&mut bytes).map_err(Error::read(&self.path))?;
            self.hasher.update(&bytes);
            let decode = match elements(info.dtype) {
                Elements::Floats(decode) => decode,
                Elements::Integers => continue,
                Elements::Unknown => {
                    let reason = format!("elements of type {:?} are not supported, only F32, BF16 and F16", info.dtype);
                    return Err(Error::import_tensor(name, reason));
                }
            };
            if info.shape.len() > MAX_DIMS {
                return Err(Error::import_tensor(name, format!("{} dimensions are too many", info.shape.len())));
            }
            let data = decode(&bytes);
            if let Some(at) = data.iter().position(|v| !v.is_finite()) {
                return Err(Error::import_tensor(name, format!("element {at} is {}, not a finite number", data[at])));
            }
            tensors.insert(name, FloatTensor { shape: info.shape.clone(), data });
        }
        Ok(self.hasher.finalize().into())
    }
}

impl<R> Opened<R> {
    /// The names of its tensors, in the order of their bytes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// What to call a file in an error, whose context names the folder.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
