// The largest value of each channel in squares of pixels that do not overlap.
// One invocation per word of four channels.
#import shared/pack

struct Params {
    height: u32,
    width: u32,
    channels: u32,
    // Height and width of a square.
    kernel: u32,
    // Words from one row to the next, of x and of `out` alike.
    stride: u32,
    // Words of `out` in all.
    words: u32,
    // Words along the grid's first side.
    side: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [images * height * width][channels], four to a word
@group(0) @binding(1) var<storage, read> x: array<u32>;
// i8 [images * (height / kernel) * (width / kernel)][channels], four to a word, padded with zeros
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let at = id.y * params.side + id.x;
    if id.x >= params.side || at >= params.words {
        return;
    }
    let down = params.height / params.kernel;
    let across = params.width / params.kernel;
    let square = at / params.stride;
    let word = at % params.stride;
    let top = (square / (down * across) * params.height + square / across % down * params.kernel) * params.width;
    let corner = top + square % across * params.kernel;
    var largest = vec4i(-128);
    for (var dy = 0u; dy < params.kernel; dy++) {
        for (var dx = 0u; dx < params.kernel; dx++) {
            let pixel = corner + dy * params.width + dx;
            largest = max(largest, unpack_i8(x[pixel * params.stride + word]));
        }
    }
    let columns = vec4u(4u * word) + vec4u(0u, 1u, 2u, 3u);
    out[at] = pack_i8(select(vec4i(0), largest, columns < vec4u(params.channels)));
}
