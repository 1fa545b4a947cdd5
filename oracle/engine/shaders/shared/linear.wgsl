// What all kernels of a matrix product share: bindings, the products themselves, and what becomes of the sums.
//
// Without a feature the accumulator itself is written; SCALED scales it, and then clamps to bytes, or to 16 bits with
// OUT32, or to 26 bits with OUT32 and WIDE; RELU drops negative values; TABLE looks an activation up.
// SHORT: bytes are loaded and multiplied by eight instead of sixteen.
// PAIRED: an invocation has pairs of four columns of 16 bits each, for what comes next: with GATED a gated activation, or
// else queries and keys to turn. NORMED: x is still to be normalised, see shared/normed.
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
#if NORMED
    // Columns of x.
    width: u32,
    // The low and the high word of a sum of squares.
    epsilon_low: u32,
    epsilon_high: u32,
#endif
}

@group(0) @binding(0) var<storage, read> given: Params;
// What is bound, once `begin` has copied it: a software driver would load each size again after every store.
var<private> params: Params;
#if NORMED
#import shared/normed
#else
// i8 [rows][inputs], rows padded to a multiple of sixteen with zeros; with SPLIT a row of high and one of low bytes for each
#if SHORT
@group(0) @binding(1) var<storage, read> x: array<u64>;
#else
@group(0) @binding(1) var<storage, read> x: array<vec4u>;
#endif
#endif
// i8 [outputs][inputs], rows padded to a multiple of sixteen with zeros
#if SHORT
@group(0) @binding(2) var<storage, read> weight: array<u64>;
#else
#if WORDS64
@group(0) @binding(2) var<storage, read> weight: array<vec2<u64>>;
#else
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
#endif
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

// Every kernel's first statement.
fn begin() {
    params = given;
}

#if SHORT
// The bytes of a row that a turn multiplies.
alias Chunk = vec2u;
// Chunks in a vector of sixteen bytes.
const CHUNKS: u32 = 2u;

fn chunk(word: u64) -> Chunk {
    return vec2u(u32(word), u32(word >> 32u));
}

fn inputs(at: u32) -> Chunk {
    return chunk(x[at]);
}

fn weights(at: u32) -> Chunk {
    return chunk(weight[at]);
}

fn dot_chunks(a: Chunk, b: Chunk) -> i32 {
    return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y);
}
#else
// The bytes of a row that a turn multiplies.
alias Chunk = vec4u;
// Chunks in a vector of sixteen bytes.
const CHUNKS: u32 = 1u;

#if NORMED
#else
fn inputs(at: u32) -> Chunk {
    return x[at];
}
#endif

fn weights(at: u32) -> Chunk {
#if WORDS64
    let words = weight[at];
    return vec4u(u32(words.x), u32(words.x >> 32u), u32(words.y), u32(words.y >> 32u));
#else
    return weight[at];
#endif
}

fn dot_chunks(a: Chunk, b: Chunk) -> i32 {
    return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
#endif

// The products of a chunk of x with the four columns' chunks.
fn step(v: Chunk, w0: Chunk, w1: Chunk, w2: Chunk, w3: Chunk) -> vec4i {
    return vec4i(dot_chunks(v, w0), dot_chunks(v, w1), dot_chunks(v, w2), dot_chunks(v, w3));
}

// What a column's sums go through.
struct Column {
    bias: i32,
#if SCALED
    scale: u32,
#endif
#if TABLE
    out_scale: u32,
#endif
}

// Four neighbouring columns, read once for all rows.
struct Columns {
    a: Column,
    b: Column,
    c: Column,
    d: Column,
}

// The column of the weight, or the last one.
fn column_at(column: u32) -> Column {
    let n = params.first + min(column, params.outputs - 1u);
#if TABLE
    return Column(bias[n], scale[n], out_scale[n]);
#else
#if SCALED
    return Column(bias[n], scale[n]);
#else
    return Column(bias[n]);
#endif
#endif
}

// The four columns from `column` of the weight on.
fn columns_at(column: u32) -> Columns {
    return Columns(column_at(column), column_at(column + 1u), column_at(column + 2u), column_at(column + 3u));
}

fn finish(sum: i32, column: Column) -> i32 {
    let acc = sum + column.bias;
#if TABLE
    let entry = table[table_index(scale_apply(column.scale, acc), params.table_len)];
    return clamp_i8(scale_apply(column.out_scale, entry));
#else
#if SCALED
    let scaled = scale_apply(column.scale, acc);
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

fn finish4(sums: vec4i, columns: Columns) -> vec4i {
    return vec4i(finish(sums.x, columns.a), finish(sums.y, columns.b), finish(sums.z, columns.c), finish(sums.w, columns.d));
}

// Writes four columns of a row, of which `column` is the first; the weight may end among them.
fn store(row: u32, column: u32, sums: vec4i, columns: Columns) {
    if row >= params.rows || column >= params.columns {
        return;
    }
    let n = params.first + column;
    let values = finish4(sums, columns);
#if OUT32
    let at = row * params.stride + n;
    for (var b = 0u; b < 4u; b++) {
        if column + b < params.outputs {
            out[at + b] = values[b];
        }
    }
#else
    let inside = vec4u(column) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.outputs);
    out[row * params.stride + n / 4u] = pack_i8(select(vec4i(0), values, inside));
#endif
}
#if PAIRED
#if GATED
#import shared/gated
#else
#import shared/rotated
#endif
#endif
