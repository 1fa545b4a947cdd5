// Each row brought to length 2^15: m = max |x|, b = max(0, 17 - leading_zeros(m)), d = round_shift(x, b),
// out = clamp_i16(normalise(d, .., 15)).
// One workgroup per row.
#import shared/fixed

struct Params {
    width: u32,
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][width]
@group(0) @binding(1) var<storage, read> x: array<i32>;
// i32 [rows][width]
@group(0) @binding(2) var<storage, read_write> out: array<i32>;

var<workgroup> largest: array<u32, LANES>;
var<workgroup> squares: array<SquareSum, LANES>;

// |v| as an unsigned number, so that the least integer has one, too.
fn magnitude(v: i32) -> u32 {
    return select(bitcast<u32>(v), 0u - bitcast<u32>(v), v < 0);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * params.width;

    var part = 0u;
    for (var c = lane; c < params.width; c += LANES) {
        part = max(part, magnitude(x[start + c]));
    }
    largest[lane] = part;
    workgroupBarrier();
    var m = 0u;
    for (var l = 0u; l < LANES; l++) {
        m = max(m, largest[l]);
    }
    let zeros = countLeadingZeros(m);
    let bits = select(0u, 17u - zeros, zeros < 17u);

    var square_part = SquareSum(0u, 0u);
    for (var c = lane; c < params.width; c += LANES) {
        square_part = square_add(square_part, round_shift(x[start + c], bits));
    }
    squares[lane] = square_part;
    workgroupBarrier();
    var square_sum = SquareSum(0u, 0u);
    for (var l = 0u; l < LANES; l++) {
        square_sum = square_merge(square_sum, squares[l]);
    }
    let inverse = inverse_root(square_sum);

    for (var c = lane; c < params.width; c += LANES) {
        out[start + c] = clamp_i16(normalise(round_shift(x[start + c], bits), inverse, 15));
    }
}
