//! Tokens drawn from logits.

use super::{Lowering, MAX_TURNS, Operand, same, word};
use crate::gpu::{Key, caps};
use crate::plan::{BufferId, SAMPLE_FIELDS, TensorId};

/// The largest vocabulary whose weights sum up in 32 bits.
const MAX_VOCABULARY: usize = 1 << 18;
/// Invocations that share a row, for each of the tuning's: a vocabulary is much longer than other rows.
const LANES_FACTOR: u32 = 16;
/// How often a row is gone through at most: for the largest, for each digit of two cut-offs, for their weights, and for
/// the running sums.
const PASSES: usize = 20;

impl Lowering<'_> {
    pub(super) fn sample(
        &mut self,
        logits: BufferId,
        params: BufferId,
        exp_table: TensorId,
        out: BufferId,
    ) -> Result<(), String> {
        let (rows, width) = (self.buffer(logits)?.rows, self.buffer(logits)?.cols);
        same("rows of the parameters", self.buffer(params)?.len(), rows * SAMPLE_FIELDS)?;
        same("tokens", self.buffer(out)?.len(), rows)?;
        let entries = self.tensor(exp_table)?.cols;
        if width == 0 || width > MAX_VOCABULARY || entries == 0 {
            return Err(format!("{width} logits with a table of {entries} entries; at most {MAX_VOCABULARY} fit"));
        }
        let lanes = (LANES_FACTOR * self.tuning.reduce_lanes).min(caps::MAX_INVOCATIONS);
        // Besides, each of some ten reductions has a turn for each invocation.
        let turns = PASSES * width.div_ceil(lanes as usize) + 16 * lanes as usize;
        if turns > MAX_TURNS {
            return Err(format!("{width} logits are too many for {lanes} invocations"));
        }
        self.dispatch(
            Key::plain("sample").constant("LANES", lanes),
            &[word(width)?, word(entries)?],
            &[
                (1, Operand::Buffer(logits)),
                (2, Operand::Buffer(params)),
                (3, Operand::Tensor(exp_table)),
                (4, Operand::Buffer(out)),
            ],
            [rows, 1, 1],
        )
    }
}
