//! Ten million outputs of a decoder's kernels, without one that differs.

use super::cached_attention::{Data, Shape, attend};
use super::decoder_rows::{gate, rms_norm, rotate_store};
use super::linear::product;
use super::support::gpu;

/// Outputs to compare.
const WANTED: usize = 10_000_000;
/// Kinds of matrix products, see `product`.
const KINDS: u8 = 12;

#[test]
fn ten_million_outputs_agree() {
    if gpu().is_none() {
        return;
    }
    let mut random = fastrand::Rng::with_seed(20);
    let mut compared = 0;
    let mut round = 0u8;
    while compared < WANTED {
        let mut seed = || random.u64(..);
        let rows = 1 + seed() as usize % 120;
        let width = 1 + seed() as usize % 3_000;
        let (split, hostile) = (round.is_multiple_of(2), round % 4 == 3);
        compared += product(rows, 1 + seed() as usize % 150, width, round % KINDS, hostile, seed());
        compared += rms_norm(rows, width, [round.is_multiple_of(3), round.is_multiple_of(5), split, hostile], seed());
        compared += gate(rows, width, 10, split, hostile, seed());
        let heads = [1 + seed() as usize % 4, 1 + seed() as usize % 4, [4, 8, 16][seed() as usize % 3]];
        compared += rotate_store(rows, heads, hostile, seed());
        let shape = Shape {
            rows: 1 + rows / 4,
            sequences: 3,
            pages: 6,
            page: 16,
            kv_heads: heads[0],
            group: heads[1],
            depth: 8 * heads[2],
            window: if split { 0 } else { 33 },
            split,
        };
        compared += attend(shape, if hostile { Data::Hostile } else { Data::Usual }, seed());
        round = round.wrapping_add(1);
    }
    println!("{compared} outputs compared in {round} rounds, none differs");
}
