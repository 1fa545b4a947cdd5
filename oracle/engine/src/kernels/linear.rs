//! Matrix products of signed bytes, with what follows them done while the sums are still in registers.

use super::{Lowering, Operand, same, word};
use crate::gpu::Key;
use crate::plan::{BufferId, Element, LinearOutput, TensorId};

/// Rows of the larger tile.
const TILE_ROWS: usize = 8;
/// Columns of a tile: as many as bytes fit a word.
const TILE_COLS: usize = 4;

impl Lowering<'_> {
    pub(super) fn linear(
        &mut self,
        x: BufferId,
        weight: TensorId,
        bias: TensorId,
        output: LinearOutput,
    ) -> Result<(), String> {
        let (rows, inputs, stride) = (self.buffer(x)?.rows, self.buffer(x)?.cols, self.buffer(x)?.stride());
        let outputs = self.tensor(weight)?.rows;
        same("inputs", self.tensor(weight)?.cols, inputs)?;
        same("biases", self.tensor(bias)?.cols, outputs)?;
        let mut bindings = vec![(1, Operand::Buffer(x)), (2, Operand::Tensor(weight)), (3, Operand::Tensor(bias))];
        let mut key = Key::plain("linear");
        let mut table_len = 0;
        let out = match output {
            LinearOutput::Raw { out } => {
                key = key.with("WIDE");
                bindings.push((4, Operand::Buffer(out)));
                out
            }
            LinearOutput::Int16 { scale, out } => {
                key = key.with("WIDE").with("SCALED");
                bindings.extend([(4, Operand::Buffer(out)), (5, Operand::Tensor(scale))]);
                out
            }
            LinearOutput::Wide { .. } => return Err("no kernel computes it".into()),
            LinearOutput::Int8 { scale, relu, out } => {
                key = key.with("SCALED");
                if relu {
                    key = key.with("RELU");
                }
                bindings.extend([(4, Operand::Buffer(out)), (5, Operand::Tensor(scale))]);
                out
            }
            LinearOutput::Table { in_scale, table, out_scale, out } => {
                key = key.with("SCALED").with("TABLE");
                table_len = self.tensor(table)?.cols;
                same("scales out of the table", self.tensor(out_scale)?.cols, outputs)?;
                bindings.extend([
                    (4, Operand::Buffer(out)),
                    (5, Operand::Tensor(in_scale)),
                    (6, Operand::Tensor(table)),
                    (7, Operand::Tensor(out_scale)),
                ]);
                out
            }
        };
        for &(binding, operand) in &bindings {
            if let (5, Operand::Tensor(scale)) = (binding, operand) {
                same("scales", self.tensor(scale)?.cols, outputs)?;
            }
        }
        same("rows of the output", self.buffer(out)?.rows, rows)?;
        same("columns of the output", self.buffer(out)?.cols, outputs)?;
        // A byte output has columns of padding, which are written, too.
        let out_stride = match self.buffer(out)?.element {
            Element::I8 | Element::Split => self.buffer(out)?.stride() / 4,
            Element::I32 | Element::U32 => self.buffer(out)?.stride(),
        };
        let columns = self.buffer(out)?.stride().div_ceil(TILE_COLS);
        let tiles = if rows <= self.tuning.single_rows {
            rows
        } else {
            key = key.with("ROWS8");
            rows.div_ceil(TILE_ROWS)
        };
        let lanes = self.tuning.linear_lanes;
        let params = [word(rows)?, word(outputs)?, word(stride / 16)?, word(out_stride)?, word(table_len)?];
        self.dispatch(key.constant("LANES", lanes), &params, &bindings, [columns.div_ceil(lanes as usize), tiles, 1])
    }
}
