// Layer normalisation of x, or of clamp_i16(x + residual) with RESIDUAL; with QUANTISED also as signed bytes.
// One workgroup per row; the row's sums are exact, so the order of the reduction cannot show.
#import shared/fixed
#import shared/pack
#import shared/reduce

struct Params {
    width: u32,
    // Words from one row of `quantised` to the next.
    stride: u32,
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][width]
@group(0) @binding(1) var<storage, read> x: array<i32>;
// Scale [width]
@group(0) @binding(2) var<storage, read> gain: array<u32>;
// i32 [width]
@group(0) @binding(3) var<storage, read> bias: array<i32>;
// i32 [rows][width]
@group(0) @binding(4) var<storage, read_write> out: array<i32>;
#if RESIDUAL
// i32 [rows][width]
@group(0) @binding(5) var<storage, read> residual: array<i32>;
#endif
#if QUANTISED
// Scale [width]
@group(0) @binding(6) var<storage, read> quantise: array<u32>;
// i8 [rows][width], four to a word, padded with zeros
@group(0) @binding(7) var<storage, read_write> quantised: array<u32>;
#endif

fn value(at: u32) -> i32 {
#if RESIDUAL
    return clamp_i16(x[at] + residual[at]);
#else
    return x[at];
#endif
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let row = group.x;
    let start = row * params.width;

    var part = 0;
    for (var c = lane; c < params.width; c += LANES) {
        part += value(start + c);
    }
    let centre = mean(bitcast<i32>(reduce_sum(lane, bitcast<u32>(part))), params.width);

    var squares = SquareSum(0u, 0u);
    for (var c = lane; c < params.width; c += LANES) {
        squares = square_add(squares, value(start + c) - centre);
    }
    let inverse = inverse_root(reduce_squares(lane, squares));

#if QUANTISED
    for (var word = lane; word < params.stride; word += LANES) {
        var bytes = vec4i(0);
        for (var b = 0u; b < 4u; b++) {
            let c = 4u * word + b;
            if c < params.width {
                let normal = normalise(value(start + c) - centre, inverse, 20);
                let y = clamp_i16(scale_apply(gain[c], normal) + bias[c]);
                out[start + c] = y;
                bytes[b] = clamp_i8(scale_apply(quantise[c], y));
            }
        }
        quantised[row * params.stride + word] = pack_i8(bytes);
    }
#else
    for (var c = lane; c < params.width; c += LANES) {
        let normal = normalise(value(start + c) - centre, inverse, 20);
        out[start + c] = clamp_i16(scale_apply(gain[c], normal) + bias[c]);
    }
#endif
}
