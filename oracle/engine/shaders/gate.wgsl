// out[r][i] = clamp(out_scale[i].apply(interpolate(table, x[r][i]) * x[r][inner + i])).
// One invocation per word of four columns.
#import shared/bytes
#import shared/interpolate

struct Params {
    inner: u32,
    // Words from one row of `out` to the next.
    stride: u32,
    // Bits of an argument that lie between two entries of the table.
    bits: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][2 * inner]
@group(0) @binding(1) var<storage, read> x: array<i32>;
// i32 [2^(16 - bits) + 1]
@group(0) @binding(2) var<storage, read> table: array<i32>;
// Scale [inner]
@group(0) @binding(3) var<storage, read> out_scale: array<u32>;
// i8 [rows][inner], or split values, four to a word, padded with zeros
@group(0) @binding(4) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let word = id.x;
    let row = id.y;
    if word >= column_words(params.stride) {
        return;
    }
    let start = 2u * row * params.inner;
    var values = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        let i = 4u * word + b;
        if i < params.inner {
            let product = interpolate(x[start + i], params.bits) * x[start + params.inner + i];
            values[b] = clamp_bytes(scale_apply(out_scale[i], product));
        }
    }
    store_bytes(row, params.stride, word, values);
}
