// acc[r][n] = bias[n] + sum over k of x[r][k] * weight[n][k], and at once what becomes of it:
// RAW keeps the accumulator, INT16 and INT8 scale it, RELU drops negative values, TABLE looks an activation up.
//
// One invocation holds a tile of ROWS8 ? 8 : 1 rows by 4 neighbouring columns in registers, so that four bytes of
// output are one word and every loaded word is used several times. There is no shared memory and no barrier.
#import shared/fixed
#import shared/pack

struct Params {
    rows: u32,
    outputs: u32,
    // Vectors of sixteen bytes in a row of x and of weight.
    depth: u32,
    // Elements (words for signed bytes) from one row of the output to the next.
    stride: u32,
    // Entries of the activation's table.
    table_len: u32,
}

override LANES: u32 = 32u;

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [rows][inputs], sixteen to a vector, padded with zeros
@group(0) @binding(1) var<storage, read> x: array<vec4u>;
// i8 [outputs][inputs], sixteen to a vector, padded with zeros
@group(0) @binding(2) var<storage, read> weight: array<vec4u>;
// i32 [outputs]
@group(0) @binding(3) var<storage, read> bias: array<i32>;
#if WIDE
// i32 [rows][outputs]
@group(0) @binding(4) var<storage, read_write> out: array<i32>;
#else
// i8 [rows][outputs], four to a word, padded with zeros
@group(0) @binding(4) var<storage, read_write> out: array<u32>;
#endif
#if SCALED
// Scale [outputs]
@group(0) @binding(5) var<storage, read> scale: array<u32>;
#endif
#if TABLE
// i32 [table_len]
@group(0) @binding(6) var<storage, read> table: array<i32>;
// Scale [outputs]
@group(0) @binding(7) var<storage, read> out_scale: array<u32>;
#endif

fn dot16(a: vec4u, b: vec4u) -> i32 {
    return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

// The products of one vector of x with the four columns' vectors.
fn step(v: vec4u, w0: vec4u, w1: vec4u, w2: vec4u, w3: vec4u) -> vec4i {
    return vec4i(dot16(v, w0), dot16(v, w1), dot16(v, w2), dot16(v, w3));
}

fn finish(acc: i32, n: u32) -> i32 {
#if TABLE
    let entry = table[table_index(scale_apply(scale[n], acc), params.table_len)];
    return clamp_i8(scale_apply(out_scale[n], entry));
#else
#if SCALED
    let scaled = scale_apply(scale[n], acc);
#if WIDE
    return clamp_i16(scaled);
#else
#if RELU
    return clamp_i8(max(scaled, 0));
#else
    return clamp_i8(scaled);
#endif
#endif
#else
    return acc;
#endif
#endif
}

// Writes the four columns from `column` on; `outputs` may end among them.
fn store(row: u32, column: u32, acc: vec4i) {
    if row >= params.rows {
        return;
    }
#if WIDE
    let at = row * params.stride + column;
    for (var b = 0u; b < 4u; b++) {
        if column + b < params.outputs {
            out[at + b] = finish(acc[b] + bias[column + b], column + b);
        }
    }
#else
    var bytes = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        if column + b < params.outputs {
            bytes[b] = finish(acc[b] + bias[column + b], column + b);
        }
    }
    out[row * params.stride + column / 4u] = pack_i8(bytes);
#endif
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let column = 4u * (group.x * LANES + lane);
    // Rows and columns beyond the last are computed from the last and not stored.
    let last = params.outputs - 1u;
    let w0 = min(column, last) * params.depth;
    let w1 = min(column + 1u, last) * params.depth;
    let w2 = min(column + 2u, last) * params.depth;
    let w3 = min(column + 3u, last) * params.depth;
#if WIDE
    let inside = column < params.outputs;
#else
    let inside = column / 4u < params.stride;
#endif
    if !inside {
        return;
    }
#if ROWS8
    let row = 8u * group.y;
    let bottom = params.rows - 1u;
    let x0 = min(row, bottom) * params.depth;
    let x1 = min(row + 1u, bottom) * params.depth;
    let x2 = min(row + 2u, bottom) * params.depth;
    let x3 = min(row + 3u, bottom) * params.depth;
    let x4 = min(row + 4u, bottom) * params.depth;
    let x5 = min(row + 5u, bottom) * params.depth;
    let x6 = min(row + 6u, bottom) * params.depth;
    let x7 = min(row + 7u, bottom) * params.depth;
    var a0 = vec4i(0);
    var a1 = vec4i(0);
    var a2 = vec4i(0);
    var a3 = vec4i(0);
    var a4 = vec4i(0);
    var a5 = vec4i(0);
    var a6 = vec4i(0);
    var a7 = vec4i(0);
    for (var k = 0u; k < params.depth; k++) {
        let v0 = weight[w0 + k];
        let v1 = weight[w1 + k];
        let v2 = weight[w2 + k];
        let v3 = weight[w3 + k];
        a0 += step(x[x0 + k], v0, v1, v2, v3);
        a1 += step(x[x1 + k], v0, v1, v2, v3);
        a2 += step(x[x2 + k], v0, v1, v2, v3);
        a3 += step(x[x3 + k], v0, v1, v2, v3);
        a4 += step(x[x4 + k], v0, v1, v2, v3);
        a5 += step(x[x5 + k], v0, v1, v2, v3);
        a6 += step(x[x6 + k], v0, v1, v2, v3);
        a7 += step(x[x7 + k], v0, v1, v2, v3);
    }
    store(row, column, a0);
    store(row + 1u, column, a1);
    store(row + 2u, column, a2);
    store(row + 3u, column, a3);
    store(row + 4u, column, a4);
    store(row + 5u, column, a5);
    store(row + 6u, column, a6);
    store(row + 7u, column, a7);
#else
    let row = group.y;
    let x0 = row * params.depth;
    var a0 = vec4i(0);
    for (var k = 0u; k < params.depth; k++) {
        a0 += step(x[x0 + k], weight[w0 + k], weight[w1 + k], weight[w2 + k], weight[w3 + k]);
    }
    store(row, column, a0);
#endif
}
