// out[(i * down + y) * across + x][(ky * kernel + kx) * channels + c] =
// image i at (y * step + ky - pad, x * step + kx - pad), channel c, or 0 outside.
// One invocation per unit of columns: a word of four, or with UNIT16 a vector of sixteen. With WHOLE, for which the
// channels must be a multiple of a unit, a unit lies within one pixel and is copied; else it is put together byte by byte.
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
    // Units from one row of x to the next.
    x_stride: u32,
    // Units from one row of `out` to the next.
    stride: u32,
    // Units of `out` in all.
    units: u32,
    // Units along the grid's first side.
    side: u32,
}

#if UNIT16
alias Unit = vec4u;
const COLUMNS: u32 = 16u;
#else
alias Unit = u32;
const COLUMNS: u32 = 4u;
#endif

@group(0) @binding(0) var<storage, read> params: Params;
// i8 [images * height * width][channels]
@group(0) @binding(1) var<storage, read> x: array<Unit>;
// i8 [images * down * across][kernel * kernel * channels], padded with zeros
@group(0) @binding(2) var<storage, read_write> out: array<Unit>;

// Where the patch lies in its image: its top, its left, and the image's first pixel.
struct Corner {
    top: u32,
    left: u32,
    first: u32,
}

// The pixel at place `place` of a patch, or a large number outside of the image or of the patch.
fn pixel(corner: Corner, place: u32) -> u32 {
    let down = place / params.kernel;
    // A pixel above or left of the image wraps to a large number, which is outside, too.
    let y = corner.top + down - params.pad;
    let x = corner.left + place - down * params.kernel - params.pad;
    let inside = down < params.kernel && y < params.height && x < params.width;
    return select(0xffffffffu, corner.first + y * params.width + x, inside);
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let at = id.y * params.side + id.x;
    if id.x >= params.side || at >= params.units {
        return;
    }
    let patch_index = at / params.stride;
    let column = COLUMNS * (at - patch_index * params.stride);
    let line = patch_index / params.across;
    let image = line / params.down;
    let corner = Corner(
        (line - image * params.down) * params.step,
        (patch_index - line * params.across) * params.step,
        image * params.height * params.width,
    );
    var unit = Unit();
#if WHOLE
    let place = column / params.channels;
    let source = pixel(corner, place);
    if source != 0xffffffffu {
        unit = x[source * params.x_stride + (column - place * params.channels) / COLUMNS];
    }
#else
    var bytes = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        let place = (column + b) / params.channels;
        let c = column + b - place * params.channels;
        let source = pixel(corner, place);
        if source != 0xffffffffu {
            bytes[b] = unpack_i8(x[source * params.x_stride + c / 4u])[c % 4u];
        }
    }
    unit = pack_i8(bytes);
#endif
    out[at] = unit;
}
