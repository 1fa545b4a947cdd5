//! Layer normalisation, with the residual's addition before it and the next product's quantisation after it.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::{BufferId, Quantise, TensorId};

impl Lowering<'_> {
    pub(super) fn norm(
        &mut self,
        x: BufferId,
        residual: Option<BufferId>,
        gain: TensorId,
        bias: TensorId,
        out: BufferId,
        quantised: Option<Quantise>,
    ) -> Result<(), String> {
        let (rows, width) = (self.buffer(x)?.rows, self.buffer(x)?.cols);
        same("rows", self.buffer(out)?.rows, rows)?;
        same("width", self.buffer(out)?.cols, width)?;
        same("gains", self.tensor(gain)?.cols, width)?;
        same("biases", self.tensor(bias)?.cols, width)?;
        let mut key = Key::plain("norm");
        let mut stride = 0;
        let mut bindings = vec![
            (1, Operand::Buffer(x)),
            (2, Operand::Tensor(gain)),
            (3, Operand::Tensor(bias)),
            (4, Operand::Buffer(out)),
        ];
        if let Some(residual) = residual {
            same("length of the residual", self.buffer(residual)?.len(), rows * width)?;
            key = key.with("RESIDUAL");
            bindings.push((5, Operand::Buffer(residual)));
        }
        if let Some(quantised) = quantised {
            same("scales", self.tensor(quantised.scale)?.cols, width)?;
            same("quantised rows", self.buffer(quantised.out)?.rows, rows)?;
            same("quantised width", self.buffer(quantised.out)?.cols, width)?;
            stride = self.buffer(quantised.out)?.stride() / 4;
            key = key.with("QUANTISED");
            bindings.push((6, Operand::Tensor(quantised.scale)));
            bindings.push((7, Operand::Buffer(quantised.out)));
        }
        let key = key.constant("LANES", self.tuning.reduce_lanes);
        self.dispatch(key, &[word(width)?, word(stride)?], &bindings, [rows, 1, 1])
    }
}
