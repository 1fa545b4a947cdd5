// Root-mean-square normalisation, see shared/root, as signed bytes or with SPLIT_OUT as values of 16 bits.
// One workgroup per row.
#import shared/bytes
#import shared/root

struct Params {
    width: u32,
    // Words from one row of `out` to the next.
    stride: u32,
    // The low and the high word of a sum of squares.
    epsilon_low: u32,
    epsilon_high: u32,
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [rows][width], or split values, four to a word, padded with zeros
@group(0) @binding(4) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    // Names for what the loops read: a software driver would load it again in every turn.
    let width = params.width;
    let stride = params.stride;
    let row = group.x;
    let start = row * width;
    let root = root_of(lane, start, width, vec2u(params.epsilon_low, params.epsilon_high), true);
    for (var word = lane; word < column_words(stride); word += LANES) {
        let v = normalised(start, width, word, root);
        store_bytes(row, stride, word, vec4i(clamp_bytes(v.x), clamp_bytes(v.y), clamp_bytes(v.z), clamp_bytes(v.w)));
    }
}
