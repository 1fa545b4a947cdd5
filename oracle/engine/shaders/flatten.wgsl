// out[i][p * channels + c] = x[i * pixels + p][c].
// One invocation per word of four columns.
#import shared/pack

struct Params {
    pixels: u32,
    channels: u32,
    // Words from one row of x to the next.
    x_stride: u32,
    // Words from one row of `out` to the next.
    stride: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [images * pixels][channels], four to a word
@group(0) @binding(1) var<storage, read> x: array<u32>;
// i8 [images][pixels * channels], four to a word, padded with zeros
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let word = id.x;
    let image = id.y;
    if word >= params.stride {
        return;
    }
    var bytes = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        let column = 4u * word + b;
        let p = column / params.channels;
        let c = column % params.channels;
        if p < params.pixels {
            bytes[b] = unpack_i8(x[(image * params.pixels + p) * params.x_stride + c / 4u])[c % 4u];
        }
    }
    out[image * params.stride + word] = pack_i8(bytes);
}
