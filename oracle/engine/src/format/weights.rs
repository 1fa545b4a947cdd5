//! The weights of a checkpoint, read tensor by tensor when they are asked for.
//!
//! Names, shapes and the order of rows are those of the `transformers` library, whatever the file's format. Reading
//! holds the tensor that is asked for as F32 and beside it at most [`PIECE`] bytes of the file, or one head of queries or
//! keys where that is longer.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use provena_arith::hash::Hash;
use sha2::{Digest as _, Sha256};

use super::encoding::Encoding;
use crate::error::Error;

/// Bytes of a file that are read at a time.
pub const PIECE: usize = 1 << 20;

/// What can be read at any place.
pub(super) trait Input: Read + Seek + Send {}
impl<T: Read + Seek + Send> Input for T {}

/// A file, or bytes in memory.
pub(super) struct Source {
    /// For errors.
    path: PathBuf,
    /// In bytes, when it was opened.
    pub len: u64,
    input: Mutex<Box<dyn Input>>,
}

impl Source {
    /// Opens a file of this length.
    pub(super) fn open(path: &Path, len: u64) -> Result<Self, Error> {
        let file = std::fs::File::open(path).map_err(Error::read(path))?;
        Ok(Self { path: path.into(), len, input: Mutex::new(Box::new(file)) })
    }

    /// Bytes that are called `name` in errors.
    pub(super) fn bytes(name: &str, bytes: Vec<u8>) -> Self {
        Self { path: name.into(), len: bytes.len() as u64, input: Mutex::new(Box::new(Cursor::new(bytes))) }
    }

    /// What to call it in an error, whose context names the folder.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// Fills `to` from this place.
    pub(super) fn read_at(&self, at: u64, to: &mut [u8]) -> Result<(), Error> {
        // A thread that panicked left at most another position, which is set before every read.
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let read = input.seek(SeekFrom::Start(at)).and_then(|_| input.read_exact(to));
        read.map_err(Error::read(&self.path))
    }

    /// SHA-256 of all of it.
    pub(super) fn sha256(&self) -> Result<Hash, Error> {
        let mut hasher = Sha256::new();
        let mut piece = vec![0; PIECE.min(self.len as usize)];
        let mut at = 0;
        while at < self.len {
            let len = (self.len - at).min(PIECE as u64);
            let piece = &mut piece[..len as usize];
            self.read_at(at, piece)?;
            hasher.update(&*piece);
            at += len;
        }
        Ok(hasher.finalize().into())
    }
}

/// The order of a matrix's rows in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As in the matrix.
    Straight,
    /// In each head of so many rows, row 2i + p of the file is row p * depth / 2 + i: the two halves that rotate
    /// together lie side by side, as llama.cpp has the queries and keys of its Llama models.
    Interleaved { depth: usize },
}

/// Where a tensor lies and what it is.
pub(super) struct Place {
    /// Which of the sources.
    pub source: usize,
    /// From its beginning, in bytes.
    pub offset: u64,
    pub encoding: Encoding,
    /// Outermost first.
    pub shape: Vec<usize>,
    pub order: Order,
}

impl Place {
    /// Number of rows, and elements of a row: a vector's elements are rows.
    fn rows(&self) -> (usize, usize) {
        self.shape.split_first().map_or((1, 1), |(rows, rest)| (*rows, rest.iter().product()))
    }
}

/// All weights of a model, none of them in memory.
pub struct Weights {
    sources: Vec<Source>,
    tensors: BTreeMap<String, Place>,
}

impl Weights {
    pub(super) fn new(sources: Vec<Source>, tensors: BTreeMap<String, Place>) -> Self {
        Self { sources, tensors }
    }

    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Reads a vector and forgets that it is there.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<Vec<f32>>, Error> {
        let Some(place) = self.tensors.remove(name) else { return Ok(None) };
        self.decode(name, &place, 0..place.rows().0).map(Some)
    }

    /// The tensors' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The dimensions of a tensor, outermost first; `None` where there is none of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|place| place.shape.as_slice())
    }

    /// That a tensor is there and has this shape.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] when it is missing or has another shape.
    pub fn check(&self, name: &str, shape: &[usize]) -> Result<(), Error> {
        match &self.place(name)?.shape {
            found if found == shape => Ok(()),
            found => Err(Error::import_tensor(name, format!("has the shape {found:?}, must have {shape:?}"))),
        }
    }

    /// All elements of a tensor that must have this shape, row after row; all are finite.
    ///
    /// # Errors
    /// [`Error::ImportTensor`] when it is missing, has another shape, does not fit the memory or holds something that is
    /// no finite number; [`Error::File`] when the file cannot be read.
    pub fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        self.check(name, shape)?;
        let place = self.place(name)?;
        self.decode(name, place, 0..place.rows().0)
    }

    /// Some rows of a tensor: all elements whose first index lies in the range.
    ///
    /// # Errors
    /// As for [`Weights::read`]; also [`Error::ImportTensor`] when the tensor has fewer rows.
    pub fn read_rows(&self, name: &str, rows: Range<usize>) -> Result<Vec<f32>, Error> {
        let place = self.place(name)?;
        let count = place.rows().0;
        if rows.start > rows.end || rows.end > count {
            return Err(Error::import_tensor(name, format!("has {count} rows, {rows:?} were asked for")));
        }
        self.decode(name, place, rows)
    }

    fn place(&self, name: &str) -> Result<&Place, Error> {
        self.tensors.get(name).ok_or_else(|| Error::import_tensor(name, "missing"))
    }

    /// Reads rows, which are there.
    fn decode(&self, name: &str, place: &Place, rows: Range<usize>) -> Result<Vec<f32>, Error> {
        let width = place.rows().1;
        let mut out = Vec::new();
        let count = rows.len().checked_mul(width).filter(|count| out.try_reserve_exact(*count).is_ok());
        let Some(count) = count else {
            return Err(Error::import_tensor(name, "does not fit the memory"));
        };
        if count == 0 {
            return Ok(out);
        }
        out.resize(count, 0.0);
        // A row is whole blocks, which was checked when the file was opened.
        let row_len = width / place.encoding.elements() * place.encoding.bytes();
        let source = &self.sources[place.source];
        let read = |at: usize, len: usize| {
            let mut bytes = vec![0; len];
            source.read_at(place.offset + at as u64, &mut bytes)?;
            Ok::<_, Error>(bytes)
        };
        match place.order {
            Order::Straight => {
                let blocks = PIECE / place.encoding.bytes();
                for (i, to) in out.chunks_mut(blocks * place.encoding.elements()).enumerate() {
                    let at = rows.start * row_len + i * blocks * place.encoding.bytes();
                    let len = to.len() / place.encoding.elements() * place.encoding.bytes();
                    place.encoding.decode(&read(at, len)?, to);
                }
            }
            Order::Interleaved { depth } => {
                let mut head = usize::MAX;
                let mut found = Vec::new();
                for (row, to) in rows.clone().zip(out.chunks_mut(width)) {
                    if row / depth != head {
                        head = row / depth;
                        found = read(head * depth * row_len, depth * row_len)?;
                    }
                    let (half, i) = (row % depth / (depth / 2), row % depth % (depth / 2));
                    let at = (2 * i + half) * row_len;
                    place.encoding.decode(&found[at..at + row_len], to);
                }
            }
        }
        match out.iter().position(|v| !v.is_finite()) {
            Some(at) => {
                let element = rows.start * width + at;
                Err(Error::import_tensor(name, format!("element {element} is {}, not a finite number", out[at])))
            }
            None => Ok(out),
        }
    }
}

impl std::fmt::Debug for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.tensors.iter().map(|(name, place)| (name, &place.shape))).finish()
    }
}
