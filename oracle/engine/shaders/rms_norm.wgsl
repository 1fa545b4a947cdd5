// Root-mean-square normalisation of v = x, or of v = clamp_wide(x + residual) with RESIDUAL, as signed bytes or with SPLIT_OUT
// as values of 16 bits; with SUM v itself is kept, too.
// One workgroup per row.
#import shared/bytes
#import shared/reduce

struct Params {
    width: u32,
    // Words from one row of `out` to the next.
    stride: u32,
}

override LANES: u32 = 64u;

@group(0) @binding(0) var<storage, read> params: Params;
// i32 [rows][width]
@group(0) @binding(1) var<storage, read> x: array<i32>;
// Scale [width]
@group(0) @binding(2) var<storage, read> gain: array<u32>;
// u32 [2]: the low and the high word of a sum of squares
@group(0) @binding(3) var<storage, read> epsilon: array<u32>;
// i8 [rows][width], or split values, four to a word, padded with zeros
@group(0) @binding(4) var<storage, read_write> out: array<u32>;
#if RESIDUAL
// i32 [rows][width]
@group(0) @binding(5) var<storage, read> residual: array<i32>;
#endif
#if SUM
// i32 [rows][width]
@group(0) @binding(6) var<storage, read_write> sum: array<i32>;
#endif

fn value(at: u32) -> i32 {
#if RESIDUAL
    return clamp_wide(x[at] + residual[at]);
#else
    return x[at];
#endif
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    // Names for what the loops read: a software driver would load it again in every turn.
    let width = params.width;
    let stride = params.stride;
    let row = group.x;
    let start = row * width;

    var largest = 0u;
    for (var c = lane; c < width; c += LANES) {
        let v = value(start + c);
#if SUM
        sum[start + c] = v;
#endif
        largest = max(largest, magnitude(v));
    }
    let shift = row_shift(reduce_max(lane, largest));

    var part = SquareSum(0u, 0u);
    for (var c = lane; c < width; c += LANES) {
        part = square_add(part, round_shift(value(start + c), shift));
    }
    let squares = add_epsilon(reduce_squares(lane, part), epsilon[0], epsilon[1], shift);
    let inverse = inverse_root(squares);

    for (var word = lane; word < column_words(stride); word += LANES) {
        var values = vec4i(0);
        for (var b = 0u; b < 4u; b++) {
            let c = 4u * word + b;
            if c < width {
                let normal = normalise(round_shift(value(start + c), shift), inverse, 20);
                values[b] = clamp_bytes(scale_apply(gain[c], normal));
            }
        }
        store_bytes(row, stride, word, values);
    }
}
