//! Writes an artifact tensor by tensor, in any order: none of them stays in memory.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use provena_arith::{fixed::Scale, hash::Hash};

use super::{
    Dtype, Recipe,
    file::content_root,
    header::TensorEntry,
    layout::{Entry, Layout},
    tensor::padded,
};
use crate::error::Error;

/// An artifact that is being written, beside the place where it will be: it appears there whole or not at all.
///
/// Which tensors it has, and so where each of them lies, is said at the beginning; they may come in any order. What was
/// written is removed when the writer is dropped before [`ArtifactWriter::finish`].
pub struct ArtifactWriter {
    file: File,
    partial: Partial,
    /// Sorted by name.
    tensors: Vec<TensorEntry>,
    /// Bytes of each tensor that are there.
    written: Vec<u64>,
}

impl ArtifactWriter {
    /// Begins an artifact; `recipe.tokenizer_sha256` is filled in here. Folders that are missing are made.
    ///
    /// # Errors
    /// [`Error::Artifact`] when the recipe or a tensor breaks the format's limits or a name is repeated,
    /// [`Error::Tensor`] when a tensor's shape does, [`Error::File`] when the file cannot be made.
    pub fn create(path: &Path, recipe: Recipe, tokenizer: Vec<u8>, entries: Vec<Entry>) -> Result<Self, Error> {
        let Layout { beginning, tensors, len } = Layout::new(recipe, tokenizer, entries)?;
        let (partial, mut file) = Partial::create(path).map_err(Error::write(path))?;
        // What no tensor covers reads as zeros, as the format wants it.
        let begun = file.set_len(len).and_then(|()| file.write_all(&beginning));
        begun.map_err(Error::write(&partial.path))?;
        Ok(Self { file, partial, written: vec![0; tensors.len()], tensors })
    }

    /// Writes a whole tensor, as it lies in the file: little-endian, rows of signed bytes padded.
    ///
    /// # Errors
    /// [`Error::Tensor`] when the artifact has no such tensor, it has another length or some of it is there already;
    /// [`Error::File`] when it cannot be written.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let at = self.find(name)?;
        let len = self.tensors[at].len;
        if self.written[at] == 0 && bytes.len() as u64 != len {
            return Err(Error::tensor(name, format!("{} bytes were given, its shape needs {len}", bytes.len())));
        }
        self.write(at, bytes)
    }

    /// Writes what comes next of a tensor, some of its rows for example.
    ///
    /// # Errors
    /// [`Error::Tensor`] when the artifact has no such tensor or it becomes too long; [`Error::File`] when it cannot be
    /// written.
    pub fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let at = self.find(name)?;
        self.write(at, bytes)
    }

    /// Writes rows of signed bytes, given without padding: all of a tensor, or those that come next.
    ///
    /// # Errors
    /// As for [`ArtifactWriter::append`]; also [`Error::Tensor`] when the tensor has another type or the values are no
    /// whole rows.
    pub fn i8(&mut self, name: &str, values: &[i8]) -> Result<(), Error> {
        let at = self.typed(name, Dtype::I8)?;
        let cols = self.tensors[at].cols as usize;
        if !values.len().is_multiple_of(cols) {
            return Err(Error::tensor(name, format!("{} values are no whole rows of {cols}", values.len())));
        }
        self.write(at, &padded(cols, values))
    }

    /// Writes signed 16-bit integers: all of a tensor, or those that come next.
    ///
    /// # Errors
    /// As for [`ArtifactWriter::append`]; also [`Error::Tensor`] when the tensor has another type.
    pub fn i16(&mut self, name: &str, values: &[i16]) -> Result<(), Error> {
        let at = self.typed(name, Dtype::I16)?;
        self.write(at, &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
    }

    /// Writes 32-bit integers: all of a tensor, or those that come next.
    ///
    /// # Errors
    /// As for [`ArtifactWriter::i16`].
    pub fn i32(&mut self, name: &str, values: &[i32]) -> Result<(), Error> {
        let at = self.typed(name, Dtype::I32)?;
        self.write(at, &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())
    }

    /// Writes scales: all of a tensor, or those that come next.
    ///
    /// # Errors
    /// As for [`ArtifactWriter::i16`].
    pub fn scales(&mut self, name: &str, values: &[Scale]) -> Result<(), Error> {
        let at = self.typed(name, Dtype::Scale)?;
        self.write(at, &values.iter().flat_map(|v| v.0.to_le_bytes()).collect::<Vec<_>>())
    }

    /// Puts the artifact where it belongs and gives its content root.
    ///
    /// # Errors
    /// [`Error::Tensor`] when a tensor is missing or incomplete, [`Error::File`] when the file cannot be written; then
    /// nothing is left of it.
    pub fn finish(mut self) -> Result<Hash, Error> {
        for (entry, written) in self.tensors.iter().zip(&self.written) {
            if *written != entry.len {
                let reason = format!("is not complete: {written} of {} bytes were written", entry.len);
                return Err(Error::tensor(&entry.name, reason));
            }
        }
        let root = content_root(&mut self.file).map_err(Error::read(&self.partial.path))?;
        self.file.sync_all().map_err(Error::write(&self.partial.path))?;
        self.partial.finish()?;
        Ok(root)
    }

    fn find(&self, name: &str) -> Result<usize, Error> {
        let found = self.tensors.binary_search_by(|entry| entry.name.as_str().cmp(name));
        found.map_err(|_| Error::tensor(name, "is none of those that the artifact was to have"))
    }

    fn typed(&self, name: &str, dtype: Dtype) -> Result<usize, Error> {
        let at = self.find(name)?;
        let found = self.tensors[at].dtype;
        if found == dtype { Ok(at) } else { Err(Error::tensor(name, format!("is {found:?}, {dtype:?} was given"))) }
    }

    fn write(&mut self, at: usize, bytes: &[u8]) -> Result<(), Error> {
        let (entry, written) = (&self.tensors[at], self.written[at]);
        if written == entry.len {
            return Err(Error::tensor(&entry.name, "was written before"));
        }
        if bytes.len() as u64 > entry.len - written {
            let reason = format!("{} bytes after the first {written} are more than {}", bytes.len(), entry.len);
            return Err(Error::tensor(&entry.name, reason));
        }
        let place = SeekFrom::Start(entry.offset + written);
        let put = self.file.seek(place).and_then(|_| self.file.write_all(bytes));
        put.map_err(Error::write(&self.partial.path))?;
        self.written[at] += bytes.len() as u64;
        Ok(())
    }
}

/// A file that is removed unless it is finished, and the folders that were made for it.
struct Partial {
    path: PathBuf,
    to: PathBuf,
    /// Outermost first.
    made: Vec<PathBuf>,
    finished: bool,
}

impl Partial {
    fn create(to: &Path) -> std::io::Result<(Self, File)> {
        let mut path = to.as_os_str().to_owned();
        path.push(format!(".{}.partial", std::process::id()));
        let folders = to.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        let mut made: Vec<PathBuf> = folders.take_while(|folder| !folder.exists()).map(Into::into).collect();
        made.reverse();
        let partial = Self { path: path.into(), to: to.into(), made, finished: false };
        for folder in &partial.made {
            // Somebody else may have made it since.
            std::fs::create_dir(folder).or_else(|error| if folder.is_dir() { Ok(()) } else { Err(error) })?;
        }
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&partial.path)?;
        Ok((partial, file))
    }

    fn finish(&mut self) -> Result<(), Error> {
        std::fs::rename(&self.path, &self.to).map_err(Error::write(&self.to))?;
        self.finished = true;
        // The new name lasts once the folder is written, where a folder can be opened for that.
        if let Some(folder) = self.to.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.path);
            // Folders that are not empty stay.
            self.made.iter().rev().for_each(|folder| drop(std::fs::remove_dir(folder)));
        }
    }
}
