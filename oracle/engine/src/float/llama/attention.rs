//! Rotary positions and causal attention with grouped queries, in floats.

use rayon::prelude::*;

use super::LlamaConfig;
use crate::float::product::dot;

/// Columns of a row of queries, keys and values.
fn columns(config: &LlamaConfig) -> usize {
    (config.heads + 2 * config.kv_heads) * config.depth
}

/// The heads that are turned in a row of queries, keys and values: the queries', then the keys'.
fn turned<'a>(config: &LlamaConfig, row: &'a [f32]) -> impl Iterator<Item = (&'a [f32], &'a [f32])> {
    let depth = config.depth;
    row[..(config.heads + config.kv_heads) * depth].chunks_exact(depth).map(move |head| head.split_at(depth / 2))
}

/// The lengths of the pairs of queries and keys: `[rows][(heads + kv_heads) * depth / 2]`.
pub(super) fn pairs(config: &LlamaConfig, qkv: &[f32]) -> Vec<f32> {
    let heads = qkv.chunks_exact(columns(config)).flat_map(|row| turned(config, row));
    heads.flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| a.hypot(*b))).collect()
}

/// Turns the queries and keys of each row by its position, which is its index.
pub(super) fn rotate(config: &LlamaConfig, qkv: &mut [f32]) {
    let (depth, half) = (config.depth, config.depth / 2);
    let heads = (config.heads + config.kv_heads) * depth;
    qkv.par_chunks_exact_mut(columns(config)).enumerate().for_each(|(position, row)| {
        let turn = config.rotation.turn(position);
        let factor = config.rotation.factor;
        for head in row[..heads].chunks_exact_mut(depth) {
            for c in 0..half {
                let (a, b) = (f64::from(head[c]), f64::from(head[c + half]));
                let (cos, sin) = (turn[c] * factor, turn[c + half] * factor);
                head[c] = (a * cos - b * sin) as f32;
                head[c + half] = (b * cos + a * sin) as f32;
            }
        }
    });
}

/// The context of each row, which sees itself and what is before it, as far as the window goes:
/// `[rows][heads * depth]`.
pub(super) fn attend(config: &LlamaConfig, qkv: &[f32]) -> Vec<f32> {
    let LlamaConfig { heads, kv_heads, depth, window, .. } = *config;
    let (columns, rows) = (columns(config), qkv.len() / columns(config));
    let part = |row: usize, from: usize| &qkv[row * columns + from..][..depth];
    let mut out = vec![0f32; rows * heads * depth];
    out.par_chunks_exact_mut(heads * depth).enumerate().for_each(|(i, out)| {
        let first = if window == 0 { 0 } else { (i + 1).saturating_sub(window) };
        for (head, out) in out.chunks_exact_mut(depth).enumerate() {
            let shared = head / (heads / kv_heads);
            let (key, value) = ((heads + shared) * depth, (heads + kv_heads + shared) * depth);
            let query = part(i, head * depth);
            let scores: Vec<f32> = (first..=i).map(|j| dot(query, part(j, key)) / (depth as f32).sqrt()).collect();
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights: Vec<f32> = scores.iter().map(|s| (s - largest).exp()).collect();
            let total: f32 = weights.iter().sum();
            for (j, weight) in (first..).zip(&weights) {
                out.iter_mut().zip(part(j, value)).for_each(|(o, v)| *o += weight / total * v);
            }
        }
    });
    out
}
