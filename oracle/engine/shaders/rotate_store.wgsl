// Queries and keys turned by their positions: queries go to `out` as split values, keys and values as bytes into their
// slots. In each head the columns c and c + depth / 2 are a pair.
// One invocation per word of four columns in the first half of a head, with its partner in the second half.
#import shared/rotation

struct Params {
    // Heads that ask.
    heads: u32,
    // Heads of keys, and of values.
    kv_heads: u32,
    // Words of half a head: depth / 8.
    half: u32,
    // Words from one row of `out` to the next; the high bytes are the first half.
    stride: u32,
    // Words from one slot to the next.
    slot_stride: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][(heads + 2 * kv_heads) * depth]: queries, keys, values
@group(0) @binding(1) var<storage, read> qkv: array<vec4i>;
// u32 [rows][4]: token, position, slot, sequence
@group(0) @binding(2) var<storage, read> rows: array<u32>;
// i16 [positions][depth], two to a word: cosines, then sines
@group(0) @binding(3) var<storage, read> table: array<u32>;
// i8 [slots][kv_heads * depth], four to a word
@group(0) @binding(4) var<storage, read_write> keys: array<u32>;
// i8 [slots][kv_heads * depth], four to a word
@group(0) @binding(5) var<storage, read_write> values: array<u32>;
// Split [rows][heads * depth], four columns to a word, padded with zeros
@group(0) @binding(6) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = id.y;
    let head = id.x / params.half;
    let word = id.x % params.half;
    let all = params.heads + 2u * params.kv_heads;
    if head >= all {
        return;
    }
    let source = (row * all + head) * 2u * params.half + word;
    store_turned(row, head, word, Pair(qkv[source], qkv[source + params.half]));
}
