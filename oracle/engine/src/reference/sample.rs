//! Tokens drawn from logits.

use provena_arith::sampling::{Params, sample as draw};

use crate::plan::SAMPLE_FIELDS;

/// One token per row of `cols` logits.
pub(super) fn sample(logits: &[i32], cols: usize, params: &[u32], table: &[i32]) -> Vec<u32> {
    let (params, _) = params.as_chunks::<SAMPLE_FIELDS>();
    logits
        .chunks_exact(cols)
        .zip(params)
        .map(|(logits, words)| draw(logits, table, Params::from_words(*words)))
        .collect()
}
