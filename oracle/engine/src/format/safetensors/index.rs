//! `model.safetensors.index.json`: which shard holds which tensor.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::Path,
};

use provena_arith::hash::{Hash, sha256};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use super::INDEX;
use crate::error::Error;

/// The longest index that is read: names of any real model fit many times over.
const MAX_INDEX_LEN: u64 = 16 << 20;
/// The most shards: all of them are open at the same time.
const MAX_SHARDS: usize = 128;

/// An index whose shards have names that stay in its folder; whether they are there is not known yet.
#[derive(Debug)]
pub(super) struct Index {
    /// Tensors and their shards.
    pub weight_map: BTreeMap<String, String>,
    /// Of the file.
    pub sha256: Hash,
}

/// The file; what else it has (`metadata`) says nothing that the shards do not.
#[derive(Deserialize)]
struct Json {
    #[serde(deserialize_with = "without_repetition")]
    weight_map: BTreeMap<String, String>,
}

impl Index {
    /// Reads an index of this length.
    pub(super) fn open(path: &Path, len: u64) -> Result<Self, Error> {
        let too_long = |len| Error::Import(format!("{INDEX} has {len} bytes, more than {MAX_INDEX_LEN}"));
        if len > MAX_INDEX_LEN {
            return Err(too_long(len));
        }
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(Error::read(path))?;
        file.take(MAX_INDEX_LEN + 1).read_to_end(&mut bytes).map_err(Error::read(path))?;
        // It may have grown since.
        if bytes.len() as u64 > MAX_INDEX_LEN {
            return Err(too_long(bytes.len() as u64));
        }
        let Json { weight_map } =
            serde_json::from_slice(&bytes).map_err(|e| Error::Import(format!("{INDEX} is not an index: {e}")))?;
        let index = Self { weight_map, sha256: sha256(&[&bytes]) };
        index.check()?;
        Ok(index)
    }

    fn check(&self) -> Result<(), Error> {
        let shards = self.shards();
        if shards.is_empty() {
            return Err(Error::Import(format!("{INDEX} names no tensor")));
        }
        if shards.len() > MAX_SHARDS {
            return Err(Error::Import(format!("{INDEX} names {} shards, more than {MAX_SHARDS}", shards.len())));
        }
        for name in shards {
            check_name(name)
                .map_err(|reason| Error::Import(format!("{INDEX} names the shard {name:?}, which {reason}")))?;
        }
        Ok(())
    }

    /// The shards' names, each once, in order.
    pub(super) fn shards(&self) -> BTreeSet<&str> {
        self.weight_map.values().map(String::as_str).collect()
    }
}

/// Says what is wrong with a name that is not a plain file's: a hostile index must not reach outside its folder, on any
/// system.
fn check_name(name: &str) -> Result<(), &'static str> {
    // On Windows paths may begin with a drive, and a colon elsewhere names a stream within a file.
    if name.starts_with(['/', '\\']) || name.chars().nth(1) == Some(':') {
        return Err("is an absolute path");
    }
    if name.contains(':') {
        return Err("contains a colon");
    }
    if name.contains(['/', '\\']) {
        return Err("contains a path separator");
    }
    if name.contains("..") {
        return Err("contains \"..\"");
    }
    if name.chars().any(char::is_control) {
        return Err("contains a control character");
    }
    if !name.ends_with(".safetensors") {
        return Err("does not end in .safetensors");
    }
    Ok(())
}

/// A map whose keys differ: JSON does not forbid repetition, and the last one would win in silence.
fn without_repetition<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Map;

    impl<'de> Visitor<'de> for Map {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a map from tensors to shards")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((tensor, shard)) = entries.next_entry::<String, String>()? {
                if let Some(first) = map.get(&tensor) {
                    let reason = format!("the tensor {tensor:?} is put in two shards, {first:?} and {shard:?}");
                    return Err(A::Error::custom(reason));
                }
                map.insert(tensor, shard);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Map)
}
