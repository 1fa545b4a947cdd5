//! Looks an artifact's tensors up by parts of their names.

use crate::{
    artifact::{Artifact, Dtype},
    error::Error,
    plan::TensorId,
};

/// A matrix product whose tensors were found.
#[derive(Clone, Copy)]
pub(super) struct Linear {
    /// `I8 [outputs][inputs]`.
    pub weight: TensorId,
    /// `I32 [outputs]`.
    pub bias: TensorId,
    /// Scale `[outputs]`.
    pub scale: TensorId,
}

/// Looks tensors up below one prefix.
pub(super) struct Scope<'a> {
    artifact: &'a Artifact,
    prefix: String,
}

impl<'a> Scope<'a> {
    /// The tensors whose names begin with `prefix` and a full stop.
    pub(super) fn new(artifact: &'a Artifact, prefix: impl Into<String>) -> Self {
        Self { artifact, prefix: prefix.into() }
    }

    fn name(&self, part: &str) -> String {
        format!("{}.{part}", self.prefix)
    }

    /// A vector of `len` elements.
    ///
    /// # Errors
    /// [`Error::Tensor`] when it is missing or differs, as for all that follow.
    pub(super) fn vector(&self, part: &str, dtype: Dtype, len: usize) -> Result<TensorId, Error> {
        self.matrix(part, dtype, 1, len)
    }

    /// A matrix.
    pub(super) fn matrix(&self, part: &str, dtype: Dtype, rows: usize, cols: usize) -> Result<TensorId, Error> {
        self.artifact.find(&self.name(part), dtype, rows, cols)
    }

    /// The weight, the bias and the scale of a matrix product.
    pub(super) fn linear(&self, part: &str, outputs: usize, inputs: usize) -> Result<Linear, Error> {
        Ok(Linear {
            weight: self.matrix(&format!("{part}.weight"), Dtype::I8, outputs, inputs)?,
            bias: self.vector(&format!("{part}.bias"), Dtype::I32, outputs)?,
            scale: self.vector(&format!("{part}.scale"), Dtype::Scale, outputs)?,
        })
    }

    /// A table of `I32` whose length is a power of two.
    pub(super) fn table(&self, part: &str) -> Result<TensorId, Error> {
        let (id, len) = self.artifact.find_table(&self.name(part), Dtype::I32)?;
        if len < 2 || !len.is_power_of_two() {
            return Err(Error::tensor(self.name(part), format!("has {len} entries, not a power of two")));
        }
        Ok(id)
    }

    /// A table of `I32` as [`Scope::table`] finds it, whose entries are weights of a softmax: 0 to `one`, the last 0.
    pub(super) fn weights(&self, part: &str, one: i32) -> Result<TensorId, Error> {
        let id = self.table(part)?;
        let entries = self.artifact.tensor(id).i32s();
        if let Some(entry) = entries.iter().find(|entry| !(0..=one).contains(*entry)) {
            return Err(Error::tensor(self.name(part), format!("has the entry {entry}, not 0 to {one}")));
        }
        match entries.last() {
            Some(0) => Ok(id),
            last => Err(Error::tensor(self.name(part), format!("ends with {}, not with 0", last.unwrap_or(&0)))),
        }
    }

    /// A table of `I32` that can be interpolated: 2^k + 1 entries with 2 <= k <= 15, none larger than `largest`.
    pub(super) fn line(&self, part: &str, largest: i32) -> Result<TensorId, Error> {
        let (id, len) = self.artifact.find_table(&self.name(part), Dtype::I32)?;
        let pieces = len.saturating_sub(1);
        if !pieces.is_power_of_two() || !(4..=1 << 15).contains(&pieces) {
            return Err(Error::tensor(self.name(part), format!("has {len} entries, not a power of two and one")));
        }
        let entries = self.artifact.tensor(id).i32s();
        match entries.iter().find(|entry| !(-largest..=largest).contains(*entry)) {
            None => Ok(id),
            Some(entry) => Err(Error::tensor(self.name(part), format!("has the entry {entry}, beyond {largest}"))),
        }
    }
}
