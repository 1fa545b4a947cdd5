// Each row brought to length 2^15: m = max |x|, b = max(0, 17 - leading_zeros(m)), d = round_shift(x, b),
// out = clamp_i16(normalise(d, .., 15)).
// One workgroup per row.
#import shared/fixed
#import shared/reduce
#import shared/wide

struct Params {
    width: u32,
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][width]
@group(0) @binding(1) var<storage, read> x: array<i32>;
// i32 [rows][width]
@group(0) @binding(2) var<storage, read_write> out: array<i32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * params.width;

    var part = 0u;
    for (var c = lane; c < params.width; c += LANES) {
        part = max(part, magnitude(x[start + c]));
    }
    let bits = row_shift(reduce_max(lane, part));

    var squares = SquareSum(0u, 0u);
    for (var c = lane; c < params.width; c += LANES) {
        squares = square_add(squares, round_shift(x[start + c], bits));
    }
    let inverse = inverse_root(reduce_squares(lane, squares));

    for (var c = lane; c < params.width; c += LANES) {
        out[start + c] = clamp_i16(normalise(round_shift(x[start + c], bits), inverse, 15));
    }
}
