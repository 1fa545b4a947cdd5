//! Words and positions become the residual stream.

use provena_arith::fixed::clamp_i16;

use crate::artifact::TensorRef;

/// Embedding: `words[ids[t]] + positions[t]` for each token t.
pub(super) fn embed(ids: &[u32], words: &TensorRef<'_>, positions: &TensorRef<'_>) -> Vec<i32> {
    let token = |(t, id): (usize, &u32)| {
        words.i16_row(*id as usize).zip(positions.i16_row(t)).map(|(word, position)| clamp_i16(word + position))
    };
    ids.iter().enumerate().flat_map(token).collect()
}
