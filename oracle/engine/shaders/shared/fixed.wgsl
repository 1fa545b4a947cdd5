// The scalar operations of int-v1: one function here for each in provena-arith's module `fixed`, bit for bit.

// A sum of squares in two words, see `square_add`.
struct SquareSum {
    low: u32,
    high: u32,
}

// 1 / sqrt(sum) = factor / 2^(30 + exponent).
struct InverseRoot {
    factor: i32,
    exponent: i32,
}

// 1 / total = factor / 2^(29 + exponent).
struct Reciprocal {
    factor: i32,
    exponent: u32,
}

// floor(a * m / 2^16) for -2^15 <= m < 2^15.
fn mul16(a: i32, m: i32) -> i32 {
    return (a >> 16u) * m + (((a & 0xffff) * m) >> 16u);
}

// x / 2^bits, rounded to the nearest, ties upwards; `bits` counts modulo 32.
fn round_shift(x: i32, bits: u32) -> i32 {
    let half = bitcast<i32>((1u << (bits & 31u)) >> 1u);
    return (x + half) >> (bits & 31u);
}

// x * 2^bits modulo 2^32; through unsigned numbers, because not every backend defines a signed overflow.
fn shift_left(x: i32, bits: u32) -> i32 {
    return bitcast<i32>(bitcast<u32>(x) << (bits & 31u));
}

fn clamp_i8(x: i32) -> i32 {
    return clamp(x, -127, 127);
}

fn clamp_i16(x: i32) -> i32 {
    return clamp(x, -32767, 32767);
}

// x * multiplier * 2^left / 2^(16 + right), with the three parts packed as `Scale` packs them.
fn scale_apply(scale: u32, x: i32) -> i32 {
    let multiplier = bitcast<i32>(scale << 16u) >> 16u;
    let right = (scale >> 16u) & 31u;
    let left = (scale >> 24u) & 31u;
    return round_shift(mul16(shift_left(x, left), multiplier), right);
}

// floor(sqrt(v)).
fn isqrt(v: u32) -> u32 {
    var root = 0u;
    for (var bit = 0x8000u; bit != 0u; bit >>= 1u) {
        let tried = root | bit;
        root = select(root, tried, tried * tried <= v);
    }
    return root;
}

// Adds d * d, for |d| < 2^16.
fn square_add(sum: SquareSum, d: i32) -> SquareSum {
    let square = bitcast<u32>(d) * bitcast<u32>(d);
    return SquareSum(sum.low + (square & 0xffffu), sum.high + (square >> 16u));
}

fn square_merge(a: SquareSum, b: SquareSum) -> SquareSum {
    return SquareSum(a.low + b.low, a.high + b.high);
}

// The factor that brings a row with this sum of squares to length one.
fn inverse_root(sum: SquareSum) -> InverseRoot {
    let carried = sum.high + (sum.low >> 16u);
    let top = carried >> 16u;
    let bottom = (carried << 16u) | (sum.low & 0xffffu);
    if top == 0u && bottom == 0u {
        return InverseRoot(0, 0);
    }
    var v: u32;
    var exponent: i32;
    if top == 0u {
        let half = countLeadingZeros(bottom) / 2u;
        v = bottom << (2u * half);
        exponent = -bitcast<i32>(half);
    } else {
        // `top` is below 2^16, so `half` is between 1 and 8.
        let half = (33u - countLeadingZeros(top)) / 2u;
        v = (top << (32u - 2u * half)) | (bottom >> (2u * half));
        exponent = bitcast<i32>(half);
    }
    let factor = (1u << 30u) / isqrt(v);
    return InverseRoot(bitcast<i32>(min(factor, 32767u)), exponent);
}

// d / sqrt(sum of squares) with `bits` fraction bits, for |d| < 2^16.
fn normalise(d: i32, inverse: InverseRoot, bits: i32) -> i32 {
    let product = mul16(shift_left(d, 14u), inverse.factor);
    let right = 28 + inverse.exponent - bits;
    if right >= 0 {
        return round_shift(product, bitcast<u32>(right));
    }
    return shift_left(product, bitcast<u32>(-right));
}

// The mean of `count` values of a stream from their sum, ties upwards.
fn mean(sum: i32, count: u32) -> i32 {
    let shifted = bitcast<u32>(sum) + (count << 15u) + (count >> 1u);
    return bitcast<i32>(shifted / max(count, 1u)) - 32768;
}

// The index into the exponential's table for a score that is `below` the row's largest.
fn exp_index(below: i32, scale: u32, table_len: u32) -> u32 {
    let index = scale_apply(scale, below);
    return select(bitcast<u32>(index), table_len - 1u, index < 0 || bitcast<u32>(index) >= table_len);
}

// The index into an activation's table of `len` entries that is centred on zero.
fn table_index(x: i32, len: u32) -> u32 {
    let half = bitcast<i32>(len / 2u);
    return bitcast<u32>(clamp(x, -half, half - 1) + half);
}

// The reciprocal of a total of softmax weights.
fn reciprocal(total: u32) -> Reciprocal {
    let bounded = max(total, 16384u);
    let exponent = 17u - countLeadingZeros(bounded);
    let factor = (1u << 29u) / (bounded >> exponent);
    return Reciprocal(bitcast<i32>(min(factor, 32767u)), exponent);
}

// weighted sum / total with 8 fraction bits.
fn context(weighted: i32, total: Reciprocal) -> i32 {
    return round_shift(mul16(weighted, total.factor), 5u + total.exponent);
}
