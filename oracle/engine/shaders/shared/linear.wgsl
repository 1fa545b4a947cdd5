// What all kernels of a matrix product share: bindings, the products themselves, and what becomes of the sums.
//
// Without a feature the accumulator itself is written; SCALED scales it, and then clamps to bytes, or to 16 bits with
// OUT32, or to 26 bits with OUT32 and WIDE; RELU drops negative values; TABLE looks an activation up.
// PAIRED: an invocation has pairs of four columns of 16 bits each, for what comes next: with GATED a gated activation, or
// else queries and keys to turn.
#import shared/fixed
#import shared/pack

struct Params {
    rows: u32,
    // Rows of the weight, of which `weight` may hold a part of the tensor.
    outputs: u32,
    // Columns to write: those of padding, too.
    columns: u32,
    // The column of the output that is the weight's first row.
    first: u32,
    // Vectors of sixteen bytes in a row of the weight.
    depth: u32,
    // Elements (words for signed bytes) from one row of the output to the next.
    stride: u32,
    // Entries of the activation's table.
    table_len: u32,
#if PAIRED
    // Pairs of four columns to compute: with GATED those of padding, too.
    pairs: u32,
#if GATED
    // Bits of an argument that lie between two entries of the table.
    bits: u32,
#else
    // Heads that ask.
    heads: u32,
    // Heads of keys, and of values.
    kv_heads: u32,
    // Words of half a head: depth / 8.
    half: u32,
    // Words from one slot to the next.
    slot_stride: u32,
#endif
#endif
}

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [rows][inputs], sixteen to a vector, padded with zeros; with SPLIT a row of high and one of low bytes for each
@group(0) @binding(1) var<storage, read> x: array<vec4u>;
// i8 [outputs][inputs], sixteen to a vector, padded with zeros
#if WORDS64
@group(0) @binding(2) var<storage, read> weight: array<vec2<u64>>;
#else
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
#endif
// i32 [outputs of the whole tensor]
@group(0) @binding(3) var<storage, read> bias: array<i32>;
#if OUT32
// i32 [rows][outputs of the whole tensor]
@group(0) @binding(4) var<storage, read_write> out: array<i32>;
#else
// i8 [rows][outputs of the whole tensor], four to a word, padded with zeros
@group(0) @binding(4) var<storage, read_write> out: array<u32>;
#endif
#if SCALED
// Scale [outputs of the whole tensor]
@group(0) @binding(5) var<storage, read> scale: array<u32>;
#endif
#if GATED
// i32 [2^(16 - bits) + 1]
@group(0) @binding(6) var<storage, read> table: array<i32>;
// Scale [outputs / 2]
@group(0) @binding(7) var<storage, read> out_scale: array<u32>;
#endif
#if TABLE
// i32 [table_len]
@group(0) @binding(6) var<storage, read> table: array<i32>;
// Scale [outputs of the whole tensor]
@group(0) @binding(7) var<storage, read> out_scale: array<u32>;
#endif

fn weights(at: u32) -> vec4u {
#if WORDS64
    let words = weight[at];
    return vec4u(u32(words.x), u32(words.x >> 32u), u32(words.y), u32(words.y >> 32u));
#else
    return weight[at];
#endif
}

fn dot16(a: vec4u, b: vec4u) -> i32 {
    return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

// The products of one vector of x with the four columns' vectors.
fn step(v: vec4u, w0: vec4u, w1: vec4u, w2: vec4u, w3: vec4u) -> vec4i {
    return vec4i(dot16(v, w0), dot16(v, w1), dot16(v, w2), dot16(v, w3));
}

fn finish(sum: i32, n: u32) -> i32 {
    let acc = sum + bias[n];
#if TABLE
    let entry = table[table_index(scale_apply(scale[n], acc), params.table_len)];
    return clamp_i8(scale_apply(out_scale[n], entry));
#else
#if SCALED
    let scaled = scale_apply(scale[n], acc);
#if PAIRED
    return clamp_i16(scaled);
#else
#if OUT32
#if WIDE
    return clamp(scaled, -67108863, 67108863);
#else
    return clamp_i16(scaled);
#endif
#else
#if RELU
    return clamp_i8(max(scaled, 0));
#else
    return clamp_i8(scaled);
#endif
#endif
#endif
#else
    return acc;
#endif
#endif
}

// Writes the four columns from `column` of the weight on; `outputs` may end among them.
fn store(row: u32, column: u32, acc: vec4i) {
    if row >= params.rows || column >= params.columns {
        return;
    }
    let n = params.first + column;
#if OUT32
    let at = row * params.stride + n;
    for (var b = 0u; b < 4u; b++) {
        if column + b < params.outputs {
            out[at + b] = finish(acc[b], n + b);
        }
    }
#else
    var bytes = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        if column + b < params.outputs {
            bytes[b] = finish(acc[b], n + b);
        }
    }
    out[row * params.stride + n / 4u] = pack_i8(bytes);
#endif
}
#if PAIRED
#if GATED
#import shared/gated
#else
#import shared/rotated
#endif
#endif
