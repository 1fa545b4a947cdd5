// Root-mean-square normalisation of rows of v = x, or of v = clamp_wide(x + residual) with RESIDUAL; with SUM v itself is
// kept, too. The invocations of a workgroup share a row; the importing kernel sets LANES.
#import shared/reduce
#import shared/wide

// i32 [rows][width]
@group(0) @binding(1) var<storage, read> x: array<i32>;
// Scale [width]
@group(0) @binding(10) var<storage, read> gain: array<u32>;
#if RESIDUAL
// i32 [rows][width]
@group(0) @binding(11) var<storage, read> residual: array<i32>;
#endif
#if SUM
// i32 [rows][width]
@group(0) @binding(12) var<storage, read_write> sum: array<i32>;
#endif

// What a row is normalised by.
struct Root {
    shift: u32,
    inverse: InverseRoot,
}

fn value(at: u32) -> i32 {
#if RESIDUAL
    return clamp_wide(x[at] + residual[at]);
#else
    return x[at];
#endif
}

// The root of the row of `width` values from `start` on, with the low and the high word of epsilon; every invocation gets
// it. `keeps`: this workgroup is the one that keeps v.
fn root_of(lane: u32, start: u32, width: u32, epsilon: vec2u, keeps: bool) -> Root {
    var largest = 0u;
    for (var c = lane; c < width; c += LANES) {
        let v = value(start + c);
#if SUM
        if keeps {
            sum[start + c] = v;
        }
#endif
        largest = max(largest, magnitude(v));
    }
    let shift = row_shift(reduce_max(lane, largest));

    var part = SquareSum(0u, 0u);
    for (var c = lane; c < width; c += LANES) {
        part = square_add(part, round_shift(value(start + c), shift));
    }
    let squares = add_epsilon(reduce_squares(lane, part), epsilon.x, epsilon.y, shift);
    return Root(shift, inverse_root(squares));
}

// Four neighbouring columns of the row, the first of them 4 * word, before they are clamped; zeros beyond the last.
fn normalised(start: u32, width: u32, word: u32, root: Root) -> vec4i {
    var four = vec4i(0);
    for (var b = 0u; b < 4u; b++) {
        let c = 4u * word + b;
        if c < width {
            four[b] = scale_apply(gain[c], normalise(round_shift(value(start + c), root.shift), root.inverse, 20));
        }
    }
    return four;
}
