//! Gated activations.

use provena_arith::fixed::{Scale, interpolate};

/// SwiGLU gate: `activation(x[i]) * x[inner + i]`, scaled per channel, not yet clamped.
pub(super) fn gate(x: &[i32], table: &[i32], scale: &[Scale]) -> Vec<i32> {
    let inner = scale.len();
    let row = |row: &[i32]| -> Vec<i32> {
        let (gate, up) = row.split_at(inner);
        let values = gate.iter().zip(up).zip(scale);
        values.map(|((gate, up), scale)| scale.apply(interpolate(table, *gate).wrapping_mul(*up))).collect()
    };
    x.chunks_exact(2 * inner).flat_map(row).collect()
}
