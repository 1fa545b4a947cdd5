//! Root-mean-square normalisation, with the residual's addition before it and the next product's bytes after it.

use super::{Lowering, Operand, same, word};
use crate::artifact::Dtype;
use crate::gpu::Key;
use crate::plan::{BufferId, Op, TensorId};

/// A normalisation, as [`Op::RmsNorm`] has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    pub(super) x: BufferId,
    pub(super) residual: Option<BufferId>,
    pub(super) gain: TensorId,
    pub(super) epsilon: TensorId,
    pub(super) sum: Option<BufferId>,
    pub(super) out: BufferId,
}

impl Norm {
    /// The normalisation that an operation is.
    pub(super) const fn of(op: &Op) -> Option<Self> {
        match *op {
            Op::RmsNorm { x, residual, gain, epsilon, sum, out } => Some(Self { x, residual, gain, epsilon, sum, out }),
            _ => None,
        }
    }
}

/// A normalisation's sizes, and what every kernel with it asks for.
#[derive(Clone, Debug)]
pub(super) struct Normed {
    pub(super) rows: usize,
    pub(super) width: usize,
    /// The low and the high word of epsilon.
    pub(super) epsilon: [u32; 2],
    /// What of `shared/root` is switched on.
    pub(super) features: Vec<&'static str>,
    /// What `shared/root` binds.
    pub(super) bindings: Vec<(u32, Operand)>,
}

impl Lowering<'_> {
    pub(super) fn rms_norm(&mut self, norm: &Norm) -> Result<(), String> {
        let Normed { rows, width, epsilon, features, mut bindings } = self.normed_sizes(norm)?;
        let stride = self.buffer(norm.out)?.stride() / 4;
        let key = features.into_iter().fold(self.bytes_key("rms_norm", norm.out)?, Key::with);
        let key = key.constant("LANES", self.tuning.reduce_lanes);
        bindings.push((4, Operand::Buffer(norm.out)));
        self.dispatch(key, &[word(width)?, word(stride)?, epsilon[0], epsilon[1]], &bindings, [rows, 1, 1])
    }

    /// The sizes of a normalisation, which fit each other.
    pub(super) fn normed_sizes(&self, norm: &Norm) -> Result<Normed, String> {
        let (rows, width) = (self.buffer(norm.x)?.rows, self.buffer(norm.x)?.cols);
        same("rows", self.buffer(norm.out)?.rows, rows)?;
        same("width", self.buffer(norm.out)?.cols, width)?;
        same("gains", self.tensor(norm.gain)?.cols, width)?;
        let epsilon = self.tensor_of(norm.epsilon, Dtype::I32)?;
        same("words of epsilon", epsilon.cols, 2)?;
        let epsilon = epsilon.i32s();
        let mut features = Vec::new();
        let mut bindings = vec![(1, Operand::Buffer(norm.x)), (10, Operand::Tensor(norm.gain))];
        if let Some(residual) = norm.residual {
            same("length of the residual", self.buffer(residual)?.len(), rows * width)?;
            features.push("RESIDUAL");
            bindings.push((11, Operand::Buffer(residual)));
        }
        if let Some(sum) = norm.sum {
            same("length of the sum", self.buffer(sum)?.len(), rows * width)?;
            features.push("SUM");
            bindings.push((12, Operand::Buffer(sum)));
        }
        let epsilon = [epsilon[0].cast_unsigned(), epsilon[1].cast_unsigned()];
        Ok(Normed { rows, width, epsilon, features, bindings })
    }

    /// The pipeline of an operation whose output is bytes of one of the two kinds.
    pub(super) fn bytes_key(&self, op: &'static str, out: BufferId) -> Result<Key, String> {
        Ok(self.split_out(out)?.into_iter().fold(Key::plain(op), Key::with))
    }

    /// What a kernel with an output of bytes is told where they are split.
    pub(super) fn split_out(&self, out: BufferId) -> Result<Option<&'static str>, String> {
        match self.buffer(out)?.element {
            crate::plan::Element::I8 => Ok(None),
            crate::plan::Element::Split => Ok(Some("SPLIT_OUT")),
            other => Err(format!("the output consists of {other:?}")),
        }
    }
}
