//! An artifact's tensors as the CPU wants them: small ones decoded, weights where they are.

use std::sync::Arc;

use provena_arith::fixed::Scale;
use rayon::prelude::*;

use super::{
    isa::Isa,
    level::{Kernel, Level},
};
use crate::{
    artifact::{Artifact, Dtype, TensorRef},
    plan::TensorId,
};

/// An artifact with its tensors prepared.
pub(super) struct Tensors {
    artifact: Arc<Artifact>,
    prepared: Vec<Prepared>,
}

enum Prepared {
    /// For each row of an `I8` matrix its sum, times what the level's products give too much.
    Offsets(Vec<i32>),
    I32(Vec<i32>),
    Scales(Vec<Scale>),
    /// Read in place, element by element.
    Raw,
}

impl Tensors {
    /// Prepares every tensor.
    pub(super) fn new(artifact: Arc<Artifact>, level: Level) -> Self {
        let ids: Vec<TensorId> = artifact.tensors().map(|(id, _)| id).collect();
        let prepare = |id: &TensorId| {
            let tensor = artifact.tensor(*id);
            match tensor.dtype {
                Dtype::I8 => Prepared::Offsets(level.run(RowSums { tensor })),
                Dtype::I32 => Prepared::I32(tensor.i32s()),
                Dtype::Scale => Prepared::Scales(tensor.scales()),
                Dtype::I16 => Prepared::Raw,
            }
        };
        let prepared = ids.par_iter().map(prepare).collect();
        Self { artifact, prepared }
    }

    /// The artifact.
    pub(super) fn artifact(&self) -> &Arc<Artifact> {
        &self.artifact
    }

    /// The tensor as it lies in the artifact.
    pub(super) fn raw(&self, id: TensorId) -> TensorRef<'_> {
        self.artifact.tensor(id)
    }

    /// What products with each row of an `I8` tensor have to take off; empty for other types.
    pub(super) fn offsets(&self, id: TensorId) -> &[i32] {
        if let Prepared::Offsets(v) = &self.prepared[id.0 as usize] { v } else { &[] }
    }

    /// The elements of an `I32` tensor; empty for other types.
    pub(super) fn i32s(&self, id: TensorId) -> &[i32] {
        if let Prepared::I32(v) = &self.prepared[id.0 as usize] { v } else { &[] }
    }

    /// The elements of a `Scale` tensor; empty for other types.
    pub(super) fn scales(&self, id: TensorId) -> &[Scale] {
        if let Prepared::Scales(v) = &self.prepared[id.0 as usize] { v } else { &[] }
    }
}

/// The offset of each row of a weight.
struct RowSums<'a> {
    tensor: TensorRef<'a>,
}

impl Kernel for RowSums<'_> {
    type Output = Vec<i32>;

    #[inline(always)]
    fn run<I: Isa>(self) -> Vec<i32> {
        (0..self.tensor.rows).map(|row| offset::<I>(self.tensor.i8_row(row))).collect()
    }
}

/// What products with this row have to take off.
#[inline(always)]
pub(super) fn offset<I: Isa>(row: &[i8]) -> i32 {
    if I::OFFSET == 0 {
        return 0;
    }
    row.iter().fold(0i32, |sum, v| sum.wrapping_add(i32::from(*v))).wrapping_mul(I::OFFSET)
}
