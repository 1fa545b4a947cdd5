//! Float weights from a safetensors file, every one of them checked.

use std::{collections::BTreeMap, path::Path};

use provena_arith::hash::sha256;
use safetensors::{Dtype, SafeTensors};

use crate::{artifact::hex, error::Error};

/// The longest file that is read.
const MAX_FILE_LEN: u64 = 4 << 30;
/// The longest header that is read: names and shapes of any real model fit many times over.
const MAX_HEADER_LEN: u64 = 16 << 20;
/// The most dimensions of a tensor.
const MAX_DIMS: usize = 8;

/// A float tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatTensor {
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Its elements, row after row; all finite.
    pub data: Vec<f32>,
}

/// All tensors of a file.
#[derive(Debug)]
pub struct FloatTensors {
    tensors: BTreeMap<String, FloatTensor>,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

impl FloatTensors {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read; [`Error::Import`] when it is truncated, its header is too long or does
    /// not decode, or its tensors overlap; [`Error::ImportTensor`] for a tensor of an unknown type or with an element
    /// that is not finite.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let len = std::fs::metadata(path).map_err(Error::read(path))?.len();
        if len > MAX_FILE_LEN {
            return Err(Error::Import(format!("{} has {len} bytes, more than {MAX_FILE_LEN}", path.display())));
        }
        Self::from_bytes(&std::fs::read(path).map_err(Error::read(path))?)
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// As for [`FloatTensors::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        check_prefix(bytes)?;
        let file = SafeTensors::deserialize(bytes)
            .map_err(|e| Error::Import(format!("the safetensors file is damaged or truncated: {e}")))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            // Integer buffers (position ids and the like) are no weights and are left aside.
            let decode: fn(&[u8]) -> Vec<f32> = match view.dtype() {
                Dtype::F32 => |b| b.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
                Dtype::BF16 => {
                    |b| b.chunks_exact(2).map(|b| f32::from_bits(u32::from_le_bytes([0, 0, b[0], b[1]]))).collect()
                }
                Dtype::I64 | Dtype::I32 | Dtype::U8 | Dtype::BOOL => continue,
                other => {
                    return Err(Error::import_tensor(name, format!("elements of type {other:?} are not supported")));
                }
            };
            if view.shape().len() > MAX_DIMS {
                return Err(Error::import_tensor(name, format!("{} dimensions are too many", view.shape().len())));
            }
            let data = decode(view.data());
            if let Some(at) = data.iter().position(|v| !v.is_finite()) {
                return Err(Error::import_tensor(name, format!("element {at} is {}, not a finite number", data[at])));
            }
            tensors.insert(name, FloatTensor { shape: view.shape().to_vec(), data });
        }
        Ok(Self { tensors, sha256: hex(&sha256(&[bytes])) })
    }

    /// The tensor of this name, which must have this shape.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] when it is missing or differs.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&[f32], Error> {
        let tensor = self.tensors.get(name).ok_or_else(|| Error::import_tensor(name, "missing"))?;
        if tensor.shape != shape {
            return Err(Error::import_tensor(name, format!("has the shape {:?}, must have {shape:?}", tensor.shape)));
        }
        Ok(&tensor.data)
    }

    /// The dimensions of the tensor of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|t| t.shape.as_slice())
    }
}

/// Checks the header's length before anything is allocated for it.
fn check_prefix(bytes: &[u8]) -> Result<(), Error> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(Error::Import(format!("a safetensors file has at least 8 bytes, this one has {}", bytes.len())));
    };
    let header = u64::from_le_bytes(*prefix);
    if header > MAX_HEADER_LEN {
        return Err(Error::Import(format!("the safetensors header has {header} bytes, more than {MAX_HEADER_LEN}")));
    }
    if header > rest.len() as u64 {
        let have = rest.len();
        return Err(Error::Import(format!(
            "the safetensors header has {header} bytes, but only {have} follow: truncated"
        )));
    }
    Ok(())
}
