//! Formats of published float models: all of them give a [`Checkpoint`].

mod checkpoint;
mod encoding;
pub mod gguf;
mod quants;
pub mod safetensors;
mod weights;

use std::path::Path;

pub use checkpoint::Checkpoint;
pub use weights::{PIECE, Weights};

use crate::error::Error;

/// The most bytes of weights that are read, in one file or in all shards together: those of the largest artifact in F32.
const MAX_LEN: u64 = 64 << 30;

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
