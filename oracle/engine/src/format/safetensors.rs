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
//! are checked when a checkpoint is opened; weights are read when they are asked for.

mod file;
mod index;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use provena_arith::hash::sha256;

use super::{
    file_len,
    weights::{Source, Weights},
};
use crate::{artifact::hex, error::Error};
use file::{Header, MAX_HEADER_LEN};
use index::Index;

/// The name of weights in one file.
const WHOLE: &str = "model.safetensors";
/// The name of the list of shards.
const INDEX: &str = "model.safetensors.index.json";

/// The weights of a model's folder and what identifies them, or `None` where it has no safetensors.
///
/// They are identified by the SHA-256 of a single file, lower-case hex; for shards by that of the list which `sha256sum`
/// prints for the index and then the shards in the order of their names.
///
/// # Errors
/// As for [`Weights::from_safetensors`]; also [`Error::File`] when a file cannot be read, [`Error::Import`] when the
/// index cannot be honoured: it is too long or no index, names too many shards, one that is not a plain `.safetensors`
/// file beside it or one that is missing; and [`Error::ImportTensor`] for a tensor that the shards do not hold where the
/// index says, or hold twice.
pub(super) fn open(folder: &Path) -> Result<Option<(Weights, String)>, Error> {
    let whole = folder.join(WHOLE);
    if let Some(len) = file_len(&whole)? {
        super::check_len(WHOLE, len)?;
        let weights = Weights::from_source(Source::open(&whole, len)?)?;
        let sha256 = hex(&weights.sources()[0].sha256()?);
        return Ok(Some((weights, sha256)));
    }
    let index = folder.join(INDEX);
    match file_len(&index)? {
        Some(len) => open_shards(folder, &Index::open(&index, len)?).map(Some),
        None => Ok(None),
    }
}

impl Weights {
    /// The weights of a safetensors file's bytes.
    ///
    /// # Errors
    /// [`Error::Import`] when it is truncated, its header is too long or does not decode, or its tensors overlap;
    /// [`Error::ImportTensor`] for a tensor of an unknown type or with too many dimensions.
    pub fn from_safetensors(bytes: Vec<u8>) -> Result<Self, Error> {
        Self::from_source(Source::bytes("the safetensors file", bytes))
    }

    fn from_source(source: Source) -> Result<Self, Error> {
        let mut tensors = BTreeMap::new();
        Header::read(&source)?.place(0, &mut tensors)?;
        Ok(Self::new(vec![source], tensors))
    }
}

fn open_shards(folder: &Path, index: &Index) -> Result<(Weights, String), Error> {
    let shards = find_shards(folder, index)?;
    let mut opened = Vec::with_capacity(shards.len());
    let mut sources = Vec::with_capacity(shards.len());
    let mut headers = 0;
    for (name, path, len) in shards {
        let source = Source::open(&path, len)?;
        let header = Header::read(&source)?;
        headers += header.len;
        if headers > MAX_HEADER_LEN {
            let reason = format!("the headers of the shards up to {name:?} have {headers} bytes, more than");
            return Err(Error::Import(format!("{reason} {MAX_HEADER_LEN} together")));
        }
        opened.push((name, header));
        sources.push(source);
    }
    check_placement(index, &opened)?;
    let mut tensors = BTreeMap::new();
    let mut sums = format!("{}  {INDEX}\n", hex(&index.sha256));
    for (at, ((name, header), source)) in opened.into_iter().zip(&sources).enumerate() {
        header.place(at, &mut tensors)?;
        writeln!(sums, "{}  {name}", hex(&source.sha256()?)).expect("writing to memory does not fail");
    }
    Ok((Weights::new(sources, tensors), hex(&sha256(&[sums.as_bytes()]))))
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
    super::check_len("the checkpoint in shards", total)?;
    Ok(shards)
}

/// Checks that the shards hold exactly the tensors that the index names, each once and where it says.
fn check_placement(index: &Index, shards: &[(&str, Header)]) -> Result<(), Error> {
    let mut places: BTreeMap<&str, &str> = BTreeMap::new();
    for (shard, header) in shards {
        for tensor in header.names() {
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
