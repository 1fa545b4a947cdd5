// Queries, keys and values of a product that is still in registers, turned and stored: a pair is four columns of the first
// half of a head and their partners in the second half.
#import shared/rotation

// u32 [rows][4]: token, position, slot, sequence
@group(0) @binding(6) var<storage, read> rows: array<u32>;
// i16 [positions][depth], two to a word: cosines, then sines
@group(0) @binding(7) var<storage, read> table: array<u32>;
// i8 [slots][kv_heads * depth], four to a word
@group(0) @binding(8) var<storage, read_write> keys: array<u32>;
// i8 [slots][kv_heads * depth], four to a word
@group(0) @binding(9) var<storage, read_write> values: array<u32>;

// Columns from the first four of a pair to the others.
fn apart() -> u32 {
    return 4u * params.half;
}

// The first column of a pair.
fn pair_column(pair: u32) -> u32 {
    return 8u * params.half * (pair / params.half) + 4u * (pair % params.half);
}

fn store_pair(row: u32, pair: u32, first: vec4i, second: vec4i) {
    if row >= params.rows || pair >= params.pairs {
        return;
    }
    let n = pair_column(pair);
    let pairs = Pair(finish4(first, columns_at(n)), finish4(second, columns_at(n + apart())));
    store_turned(row, pair / params.half, pair % params.half, pairs);
}
