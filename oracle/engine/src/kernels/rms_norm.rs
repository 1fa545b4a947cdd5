//! Root-mean-square normalisation, with the residual's addition before it and the next product's bytes after it.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::{BufferId, TensorId};

impl Lowering<'_> {
    pub(super) fn rms_norm(
        &mut self,
        x: BufferId,
        residual: Option<BufferId>,
        gain: TensorId,
        epsilon: TensorId,
        sum: Option<BufferId>,
        out: BufferId,
    ) -> Result<(), String> {
        let (rows, width) = (self.buffer(x)?.rows, self.buffer(x)?.cols);
        same("rows", self.buffer(out)?.rows, rows)?;
        same("width", self.buffer(out)?.cols, width)?;
        same("gains", self.tensor(gain)?.cols, width)?;
        same("words of epsilon", self.tensor(epsilon)?.cols, 2)?;
        let mut key = self.bytes_key("rms_norm", out)?;
        let mut bindings = vec![
            (1, Operand::Buffer(x)),
            (2, Operand::Tensor(gain)),
            (3, Operand::Tensor(epsilon)),
            (4, Operand::Buffer(out)),
        ];
        if let Some(residual) = residual {
            same("length of the residual", self.buffer(residual)?.len(), rows * width)?;
            key = key.with("RESIDUAL");
            bindings.push((5, Operand::Buffer(residual)));
        }
        if let Some(sum) = sum {
            same("length of the sum", self.buffer(sum)?.len(), rows * width)?;
            key = key.with("SUM");
            bindings.push((6, Operand::Buffer(sum)));
        }
        let stride = self.buffer(out)?.stride() / 4;
        let key = key.constant("LANES", self.tuning.reduce_lanes);
        self.dispatch(key, &[word(width)?, word(stride)?], &bindings, [rows, 1, 1])
    }

    /// The pipeline of an operation whose output is bytes of one of the two kinds.
    pub(super) fn bytes_key(&self, op: &'static str, out: BufferId) -> Result<Key, String> {
        self.with_bytes(Key::plain(op), out)
    }

    /// `key` for an output of this kind.
    pub(super) fn with_bytes(&self, key: Key, out: BufferId) -> Result<Key, String> {
        match self.buffer(out)?.element {
            crate::plan::Element::I8 => Ok(key),
            crate::plan::Element::Split => Ok(key.with("SPLIT_OUT")),
            other => Err(format!("the output consists of {other:?}")),
        }
    }
}
