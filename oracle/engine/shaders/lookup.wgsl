// out[r][c] = clamp_wide(scale[token].apply(weight[token][c] * 2^14)), where token = rows[r].token.
// One invocation per word of four columns. `weight` holds the rows `first` .. `first` + `held` of the whole tensor, which
// may be cut into several; a row whose token lies elsewhere is left to another dispatch.
#import shared/pack
#import shared/wide

struct Params {
    width: u32,
    // Words from one row of weight to the next.
    stride: u32,
    first: u32,
    held: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// u32 [rows][4]: token, position, slot, sequence
@group(0) @binding(1) var<storage, read> rows: array<u32>;
// i8 [held][width], four to a word, padded with zeros
@group(0) @binding(2) var<storage, read> weight: array<u32>;
// Scale [vocabulary]
@group(0) @binding(3) var<storage, read> scale: array<u32>;
// i32 [rows][width]
@group(0) @binding(4) var<storage, read_write> out: array<i32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let word = id.x;
    let row = id.y;
    let token = rows[4u * row];
    if 4u * word >= params.width || token < params.first || token - params.first >= params.held {
        return;
    }
    let bytes = unpack_i8(weight[(token - params.first) * params.stride + word]);
    for (var b = 0u; b < 4u; b++) {
        let c = 4u * word + b;
        if c < params.width {
            out[row * params.width + c] = clamp_wide(scale_apply(scale[token], shift_left(bytes[b], 14u)));
        }
    }
}
