// out[(i * down + y) * across + x][(ky * kernel + kx) * channels + c] =
// image i at (y * step + ky - pad, x * step + kx - pad), channel c, or 0 outside.
// One invocation per word of four columns.
#import shared/pack

struct Params {
    height: u32,
    width: u32,
    channels: u32,
    // Height and width of a patch.
    kernel: u32,
    // Pixels from one patch to the next.
    step: u32,
    // Pixels of zeros around the image.
    pad: u32,
    // Patches per image, from top to bottom and from left to right.
    down: u32,
    across: u32,
    // Words from one row of x to the next.
    x_stride: u32,
    // Words from one row of `out` to the next.
    stride: u32,
    // Words of `out` in all.
    words: u32,
    // Words along the grid's first side.
    side: u32,
}

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [images * height * width][channels], four to a word
@group(0) @binding(1) var<storage, read> x: array<u32>;
// i8 [images * down * across][kernel * kernel * channels], four to a word, padded with zeros
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let at = id.y * params.side + id.x;
    if id.x >= params.side || at >= params.words {
        return;
    }
    let patch_index = at / params.stride;
    let image = patch_index / (params.down * params.across);
    let top = patch_index / params.across % params.down * params.step;
    let left = patch_index % params.across * params.step;
    var bytes = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        let column = 4u * (at % params.stride) + b;
        let place = column / params.channels;
        let c = column % params.channels;
        // A pixel above or left of the image wraps to a large number, which is outside, too.
        let py = top + place / params.kernel - params.pad;
        let px = left + place % params.kernel - params.pad;
        if place < params.kernel * params.kernel && py < params.height && px < params.width {
            let pixel = (image * params.height + py) * params.width + px;
            bytes[b] = unpack_i8(x[pixel * params.x_stride + c / 4u])[c % 4u];
        }
    }
    out[at] = pack_i8(bytes);
}
