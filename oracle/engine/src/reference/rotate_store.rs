//! Queries and keys turned by their positions; keys and values put into the cache.

use provena_arith::fixed::{clamp_i8, rotate, round_shift};

use crate::{
    artifact::TensorRef,
    plan::{Cache, ROW_FIELDS, i8_stride},
};

/// Turns every head of a row in place: column c with column c + depth / 2.
fn turn(heads: &mut [i32], depth: usize, angles: &[i32]) {
    let half = depth / 2;
    for head in heads.chunks_exact_mut(depth) {
        for c in 0..half {
            let (a, b) = rotate(head[c], head[half + c], angles[c], angles[half + c]);
            (head[c], head[half + c]) = (a, b);
        }
    }
}

/// The turned queries, not yet clamped; keys and values go into `keys` and `values`.
pub(super) fn rotate_store(
    qkv: &[i32],
    rows: &[u32],
    table: &TensorRef<'_>,
    cache: &Cache,
    keys: &mut [i8],
    values: &mut [i8],
) -> Vec<i32> {
    let rows = rows.chunks_exact(ROW_FIELDS);
    let (cols, width) = (qkv.len() / rows.len().max(1), cache.kv_heads * cache.depth);
    let mut queries = Vec::with_capacity(rows.len() * (cols - 2 * width));
    for (row, qkv) in rows.zip(qkv.chunks_exact(cols)) {
        let (position, slot) = (row[1] as usize, row[2] as usize);
        let angles: Vec<i32> = table.i16_row(position).collect();
        let mut turned = qkv[..cols - width].to_vec();
        turn(&mut turned, cache.depth, &angles);
        let (query, key) = turned.split_at(cols - 2 * width);
        queries.extend(query);
        store(keys, slot, key);
        store(values, slot, &qkv[cols - width..]);
    }
    queries
}

/// Writes one slot.
fn store(cache: &mut [i8], slot: usize, values: &[i32]) {
    let at = slot * i8_stride(values.len());
    for (to, v) in cache[at..].iter_mut().zip(values) {
        *to = clamp_i8(round_shift(*v, 8)) as i8;
    }
}
