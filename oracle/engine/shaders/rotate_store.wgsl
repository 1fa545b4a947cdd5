// Queries and keys turned by their positions: queries go to `out` as split values, keys and values as bytes into their
// slots. In each head the columns c and c + depth / 2 are a pair.
// One invocation per word of four columns in the first half of a head, with its partner in the second half.
#import shared/pack
#import shared/wide

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

struct Pair {
    a: vec4i,
    b: vec4i,
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

// Four neighbouring entries of the table, the first at word `at`.
fn entries(at: u32) -> vec4i {
    let x = table[at];
    let y = table[at + 1u];
    return vec4i(half_i16(x, 0u), half_i16(x, 1u), half_i16(y, 0u), half_i16(y, 1u));
}

// Each pair turned by its angle, whose cosine and sine have 15 fraction bits; each part rounded once.
fn rotate(pair: Pair, cos: vec4i, sin: vec4i) -> Pair {
    let x = pair.a * cos - pair.b * sin;
    let y = pair.b * cos + pair.a * sin;
    return Pair((x + vec4i(16384)) >> vec4u(15u), (y + vec4i(16384)) >> vec4u(15u));
}

// Four values as the cache holds them.
fn cached(v: vec4i) -> u32 {
    return pack_i8(clamp((v + vec4i(128)) >> vec4u(8u), vec4i(-127), vec4i(127)));
}

fn store_query(row: u32, word: u32, turned: vec4i) {
    let v = clamp(turned, vec4i(-32639), vec4i(32639));
    out[row * params.stride + word] = pack_i8((v + vec4i(128)) >> vec4u(8u));
    // Packing drops all but the lowest eight bits, which are the low byte as it is.
    out[row * params.stride + params.stride / 2u + word] = pack_i8(v);
}

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
    var pair = Pair(qkv[source], qkv[source + params.half]);
    let position = rows[4u * row + 1u];
    let slot = rows[4u * row + 2u] * params.slot_stride;
    if head >= params.heads + params.kv_heads {
        let to = slot + (head - params.heads - params.kv_heads) * 2u * params.half + word;
        values[to] = cached(pair.a);
        values[to + params.half] = cached(pair.b);
        return;
    }
    // A row of the table has depth / 2 words: the cosines of a word of columns are two of them.
    let angle = position * 4u * params.half + 2u * word;
    pair = rotate(pair, entries(angle), entries(angle + 2u * params.half));
    if head >= params.heads {
        let to = slot + (head - params.heads) * 2u * params.half + word;
        keys[to] = cached(pair.a);
        keys[to + params.half] = cached(pair.b);
        return;
    }
    let to = head * 2u * params.half + word;
    store_query(row, to, pair.a);
    store_query(row, to + params.half, pair.b);
    if id.x == 0u {
        for (var rest = params.heads * 2u * params.half; rest < params.stride / 2u; rest++) {
            store_query(row, rest, vec4i(0));
        }
    }
}
