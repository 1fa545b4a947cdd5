//! Float weights from safetensors, in one file or in shards, every one of them checked.
//!
//! A folder holds either `model.safetensors`, or `model.safetensors.index.json` with the shards that it names beside
//! it. Where both are there, `model.safetensors` is read and the index is not looked at, as other libraries do.
//!
//! Weights may be F32, BF16 or F16, mixed as they like: each value becomes the F32 of the same value. Tensors of
//! integers (position ids and the like) are no weights and are left aside; any other type is an error.
//!
//! An index is believed only as far as the shards bear it out: the shards hold exactly the tensors that it names, each
//! where it says. A shard's name stays in the folder; links are followed, as model caches consist of them. All headers
//! are checked before the first weight is read, and weights are read tensor by tensor, so that memory holds each weight
//! once, as F32, and beside them the bytes of a single tensor.

mod element;
mod file;
mod index;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Write as _,
    fs::File,
    path::{Path, PathBuf},
};

use provena_arith::hash::sha256;

use crate::{artifact::hex, error::Error};
use file::{MAX_HEADER_LEN, Opened};
use index::Index;

/// The name of weights in one file.
const WHOLE: &str = "model.safetensors";
/// The name of the list of shards.
const INDEX: &str = "model.safetensors.index.json";
/// The most bytes of weights that are read, in one file or in all shards together.
const MAX_LEN: u64 = 4 << 30;

/// A float tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatTensor {
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Its elements, row after row; all finite.
    pub data: Vec<f32>,
}

/// All tensors of a model.
#[derive(Debug)]
pub struct FloatTensors {
    tensors: BTreeMap<String, FloatTensor>,
    /// What identifies the weights, lower-case hex. For a single file its SHA-256; for shards the SHA-256 of the list
    /// that `sha256sum` prints for the index and then the shards in the order of their names.
    pub sha256: String,
}

impl FloatTensors {
    /// Reads the weights of a model's folder: `model.safetensors`, or else the shards of
    /// `model.safetensors.index.json`.
    ///
    /// # Errors
    /// As for [`FloatTensors::open`]; also [`Error::Import`] when the folder has neither, or the index cannot be
    /// honoured: it is too long or no index, names too many shards, one that is not a plain `.safetensors` file beside
    /// it or one that is missing; and [`Error::ImportTensor`] for a tensor that the shards do not hold where the index
    /// says, or hold twice.
    pub fn open_folder(folder: &Path) -> Result<Self, Error> {
        let whole = folder.join(WHOLE);
        if file_len(&whole)?.is_some() {
            return Self::open(&whole);
        }
        let index = folder.join(INDEX);
        match file_len(&index)? {
            Some(len) => Self::open_shards(folder, &Index::open(&index, len)?),
            None => Err(Error::Import(format!("{} has neither {WHOLE} nor {INDEX}", folder.display()))),
        }
    }

    /// Reads one file.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read; [`Error::Import`] when it is truncated, too long, its header is too long
    /// or does not decode, or its tensors overlap; [`Error::ImportTensor`] for a tensor of an unknown type or with an
    /// element that is not finite.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let Some(len) = file_len(path)? else {
            return Err(Error::read(path)(std::io::ErrorKind::NotFound.into()));
        };
        check_len(&path.display().to_string(), len)?;
        let file = File::open(path).map_err(Error::read(path))?;
        Self::from_one(Opened::new(path, len, file)?)
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// As for [`FloatTensors::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_one(Opened::new("the safetensors file", bytes.len() as u64, bytes)?)
    }

    fn from_one(file: Opened<impl std::io::Read>) -> Result<Self, Error> {
        let mut tensors = BTreeMap::new();
        let sha256 = hex(&file.decode(&mut tensors)?);
        Ok(Self { tensors, sha256 })
    }

    fn open_shards(folder: &Path, index: &Index) -> Result<Self, Error> {
        let shards = find_shards(folder, index)?;
        let mut opened = Vec::with_capacity(shards.len());
        let mut headers = 0;
        for (name, path, len) in shards {
            let file = File::open(&path).map_err(Error::read(&path))?;
            let file = Opened::new(path, len, file)?;
            headers += file.header_len;
            if headers > MAX_HEADER_LEN {
                let reason = format!("the headers of the shards up to {name:?} have {headers} bytes, more than");
                return Err(Error::Import(format!("{reason} {MAX_HEADER_LEN} together")));
            }
            opened.push((name, file));
        }
        check_placement(index, &opened)?;
        let mut tensors = BTreeMap::new();
        let mut sums = format!("{}  {INDEX}\n", hex(&index.sha256));
        for (name, file) in opened {
            let sum = hex(&file.decode(&mut tensors)?);
            writeln!(sums, "{sum}  {name}").expect("writing to memory does not fail");
        }
        Ok(Self { tensors, sha256: hex(&sha256(&[sums.as_bytes()])) })
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

/// The length of a file, links followed; `None` where there is nothing of this name.
fn file_len(path: &Path) -> Result<Option<u64>, Error> {
    match std::fs::metadata(path) {
        // Opening a pipe would wait for its writer.
        Ok(found) if !found.is_file() => Err(Error::Import(format!("{} is not a file", path.display()))),
        Ok(found) => Ok(Some(found.len())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::read(path)(error)),
    }
}

fn check_len(what: &str, len: u64) -> Result<(), Error> {
    if len > MAX_LEN {
        return Err(Error::Import(format!("{what} has {len} bytes, more than {MAX_LEN}")));
    }
    Ok(())
}

/// Name, path and length of every shard, in the order of the names; all are there and together not too long.
fn find_shards<'a>(folder: &Path, index: &'a Index) -> Result<Vec<(&'a str, PathBuf, u64)>, Error> {
    let mut shards = Vec::new();
    let mut total = 0u64;
    for name in index.shards() {
        let path = folder.join(name);
        let len = file_len(&path)?
            .ok_or_else(|| Error::Import(format!("the shard {name:?} that {INDEX} names is missing")))?;
        total = total.saturating_add(len);
        shards.push((name, path, len));
    }
    check_len("the checkpoint in shards", total)?;
    Ok(shards)
}

/// Checks that the shards hold exactly the tensors that the index names, each once and where it says.
fn check_placement<R>(index: &Index, shards: &[(&str, Opened<R>)]) -> Result<(), Error> {
    let mut places: BTreeMap<&str, &str> = BTreeMap::new();
    for (shard, file) in shards {
        for tensor in file.names() {
            match places.entry(tensor) {
                Entry::Vacant(entry) => entry.insert(shard),
                Entry::Occupied(first) => {
                    let reason = format!("is in two shards, {:?} and {shard:?}", first.get());
                    return Err(Error::import_tensor(tensor, reason));
                }
            };
        }
    }
    for (tensor, shard) in &index.weight_map {
        match places.remove(tensor.as_str()) {
            Some(found) if found == shard => (),
            Some(found) => {
                let reason = format!("is missing from the shard {shard:?}, where {INDEX} puts it: it is in {found:?}");
                return Err(Error::import_tensor(tensor, reason));
            }
            None => {
                let reason = format!("is missing from the shard {shard:?}, where {INDEX} puts it");
                return Err(Error::import_tensor(tensor, reason));
            }
        }
    }
    match places.pop_first() {
        Some((tensor, shard)) => {
            Err(Error::import_tensor(tensor, format!("is in the shard {shard:?}, but {INDEX} does not name it")))
        }
        None => Ok(()),
    }
}
