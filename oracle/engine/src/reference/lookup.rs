//! Tokens become the residual stream.

use provena_arith::fixed::{Scale, clamp_wide};

use crate::{artifact::TensorRef, plan::ROW_FIELDS};

/// The token's row of the word table, scaled, for each row.
pub(super) fn lookup(rows: &[u32], weight: &TensorRef<'_>, scale: &[Scale]) -> Vec<i32> {
    let word = |row: &[u32]| {
        let token = row[0] as usize;
        let values = &weight.i8_row(token)[..weight.cols];
        values.iter().map(move |v| clamp_wide(scale[token].apply(i32::from(*v) << 14)))
    };
    rows.chunks_exact(ROW_FIELDS).flat_map(word).collect()
}
