//! An artifact that stays in its file: a part of its tensors is read at a time.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use provena_arith::{
    domain,
    hash::{Hash, sha256},
    merkle::ContentHasher,
};

use super::{
    ALIGN, Artifact, MAX_FILE_LEN, PREFIX_LEN, Recipe, Summary,
    header::{Header, TensorEntry, check_gap},
};
use crate::error::Error;

/// Bytes that are read at a time to compute the content root.
const PIECE: usize = 1 << 20;

/// What is read of a tensor.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The tensor's name.
    name: String,
    /// Which of its rows, or of a vector its elements; all of them where this is `None`.
    rows: Option<Vec<u32>>,
}

impl Piece {
    /// All of a tensor.
    pub fn whole(name: impl Into<String>) -> Self {
        Self { name: name.into(), rows: None }
    }

    /// Some rows of a matrix, or some elements of a vector, in this order.
    pub fn rows(name: impl Into<String>, rows: impl IntoIterator<Item = u32>) -> Self {
        Self { name: name.into(), rows: Some(rows.into_iter().collect()) }
    }
}

/// An artifact whose tensors are not in memory.
///
/// A file that changes while it is open gives other tensors, never a panic.
pub struct ArtifactFile {
    path: PathBuf,
    file: Mutex<File>,
    /// Bytes of the file.
    len: u64,
    recipe: Recipe,
    tensors: Vec<TensorEntry>,
    content_root: Hash,
    recipe_root: Hash,
}

impl ArtifactFile {
    /// Reads a file once from beginning to end and checks its header.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Artifact`] when it is not a valid artifact.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(Error::read(path))?;
        let len = file.metadata().map_err(Error::read(path))?.len();
        if len > MAX_FILE_LEN {
            return Err(Error::Artifact(format!("{len} bytes are more than {MAX_FILE_LEN}")));
        }
        if len < PREFIX_LEN as u64 {
            return Err(Error::Artifact(format!("{len} bytes are too few")));
        }
        let mut prefix = [0; PREFIX_LEN];
        file.read_exact(&mut prefix).map_err(Error::read(path))?;
        let mut section = vec![0; Header::len(&prefix, len)?];
        file.read_exact(&mut section).map_err(Error::read(path))?;
        let header = Header::parse(&section, len)?;
        for (name, gap) in header.gaps(section.len()) {
            // They are shorter than the alignment.
            let mut bytes = vec![0; (gap.end - gap.start) as usize];
            let read = file.seek(SeekFrom::Start(gap.start)).and_then(|_| file.read_exact(&mut bytes));
            read.map_err(Error::read(path))?;
            check_gap(name, &bytes)?;
        }
        let recipe = header.recipe()?;
        let recipe_root = sha256(&[domain::RECIPE, &header.recipe]);
        let content_root = content_root(&mut file).map_err(Error::read(path))?;
        let (path, file, tensors) = (path.into(), Mutex::new(file), header.tensors);
        Ok(Self { path, file, len, recipe, tensors, content_root, recipe_root })
    }

    /// How the tensors are to be used.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The tensors' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(|entry| entry.name.as_str())
    }

    /// What there is to know about the artifact.
    pub fn summary(&self) -> Summary {
        Summary::new(&self.recipe, &self.tensors, self.len, self.content_root, self.recipe_root)
    }

    /// The artifact with these tensors alone and no tokenizer. It is called by the same roots, which are those of the
    /// whole.
    ///
    /// # Errors
    /// [`Error::Tensor`] when one is missing, is asked for twice or has no such row; [`Error::File`] when the file
    /// cannot be read.
    pub fn part(&self, pieces: &[Piece]) -> Result<Artifact, Error> {
        let mut pieces: Vec<&Piece> = pieces.iter().collect();
        pieces.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = pieces.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(Error::tensor(&pair[0].name, "was asked for twice"));
        }
        let wanted = pieces.into_iter().map(|piece| self.wanted(piece)).collect::<Result<Vec<_>, Error>>()?;
        let len = |entry: &TensorEntry| (entry.len as usize).next_multiple_of(ALIGN);
        let mut bytes = vec![0; wanted.iter().map(|(entry, _)| len(entry)).sum()];
        let (mut tensors, mut at) = (Vec::with_capacity(wanted.len()), 0usize);
        // A thread that panicked left at most another position, which is set before every read.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        for (mut entry, runs) in wanted {
            at = at.next_multiple_of(ALIGN);
            entry.offset = at as u64;
            for (place, len) in runs {
                let read = file.seek(SeekFrom::Start(place)).and_then(|_| file.read_exact(&mut bytes[at..at + len]));
                read.map_err(Error::read(&self.path))?;
                at += len;
            }
            tensors.push(entry);
        }
        let (recipe, content_root, recipe_root) = (self.recipe.clone(), self.content_root, self.recipe_root);
        Ok(Artifact { bytes, recipe, tokenizer: vec![], tensors, content_root, recipe_root })
    }

    /// The table's line for a piece, and where in the file it lies: beginnings and lengths.
    fn wanted(&self, piece: &Piece) -> Result<(TensorEntry, Vec<(u64, usize)>), Error> {
        let found = self.tensors.binary_search_by(|entry| entry.name.cmp(&piece.name));
        let entry = &self.tensors[found.map_err(|_| Error::tensor(&piece.name, "missing"))?];
        let Some(rows) = &piece.rows else {
            return Ok((entry.clone(), vec![(entry.offset, entry.len as usize)]));
        };
        // All matrices are weights.
        let matrix = entry.dtype.is_weight();
        let count = if matrix { entry.rows } else { entry.cols };
        if let Some(row) = rows.iter().find(|row| **row >= count) {
            return Err(Error::tensor(&piece.name, format!("has {count} rows, row {row} was asked for")));
        }
        let row_len = entry.len / u64::from(count);
        let mut runs: Vec<(u64, usize)> = vec![];
        for row in rows {
            let place = entry.offset + u64::from(*row) * row_len;
            match runs.last_mut().filter(|(start, len)| start + *len as u64 == place) {
                Some((_, len)) => *len += row_len as usize,
                None => runs.push((place, row_len as usize)),
            }
        }
        let count = rows.len() as u32;
        let (rows, cols) = if matrix { (count, entry.cols) } else { (1, count) };
        let len = row_len * u64::from(count);
        Ok((TensorEntry { rows, cols, len, ..entry.clone() }, runs))
    }
}

impl std::fmt::Debug for ArtifactFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArtifactFile").field("path", &self.path).field("name", &self.recipe.name).finish()
    }
}

/// The content root of what is in a file.
pub(super) fn content_root(file: &mut File) -> std::io::Result<Hash> {
    file.rewind()?;
    let mut hasher = ContentHasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => break hasher.finish().map_err(std::io::Error::other),
            len => hasher.update(&piece[..len]),
        }
    }
}
