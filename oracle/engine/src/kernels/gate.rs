//! Gated activations.

use super::{Lowering, Operand, same, word};
use crate::artifact::Dtype;
use crate::plan::{BufferId, ROW_ALIGN, TensorId};

impl Lowering<'_> {
    pub(super) fn gate(
        &mut self,
        x: BufferId,
        table: TensorId,
        out_scale: TensorId,
        out: BufferId,
    ) -> Result<(), String> {
        let Gate { rows, inner, stride, bits } = self.gate_sizes(x, table, out_scale, out)?;
        let words = inner.next_multiple_of(ROW_ALIGN) / 4;
        self.dispatch(
            self.bytes_key("gate", out)?,
            &[word(inner)?, word(stride)?, bits],
            &[
                (1, Operand::Buffer(x)),
                (2, Operand::Tensor(table)),
                (3, Operand::Tensor(out_scale)),
                (4, Operand::Buffer(out)),
            ],
            [words.div_ceil(32), rows, 1],
        )
    }

    /// The sizes of a gated activation, which fit each other.
    pub(super) fn gate_sizes(
        &self,
        x: BufferId,
        table: TensorId,
        out_scale: TensorId,
        out: BufferId,
    ) -> Result<Gate, String> {
        let (rows, inner) = (self.buffer(out)?.rows, self.buffer(out)?.cols);
        same("rows", self.buffer(x)?.rows, rows)?;
        same("gates and what they gate", self.buffer(x)?.cols, 2 * inner)?;
        same("scales", self.tensor_of(out_scale, Dtype::Scale)?.cols, inner)?;
        let intervals = self.tensor_of(table, Dtype::I32)?.cols.saturating_sub(1);
        if !intervals.is_power_of_two() || !(2..=15).contains(&intervals.ilog2()) {
            return Err(format!("a table of {} entries", self.tensor(table)?.cols));
        }
        Ok(Gate { rows, inner, stride: self.buffer(out)?.stride() / 4, bits: 16 - intervals.ilog2() })
    }
}

/// A gated activation's sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    pub(super) rows: usize,
    pub(super) inner: usize,
    /// Words from one row of the output to the next.
    pub(super) stride: usize,
    /// Bits of an argument that lie between two entries of the table.
    pub(super) bits: u32,
}
