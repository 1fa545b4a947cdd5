// What decoders need beyond 16 bits: one function here for each in provena-arith's module `fixed::wide`, bit for bit.
#import shared/fixed

// An exact sum of up to 65,536 partial sums: high * 2^16 + low.
struct WideSum {
    low: u32,
    high: i32,
}

// Four of them, side by side.
struct WideSum4 {
    low: vec4u,
    high: vec4i,
}

fn clamp_split(x: i32) -> i32 {
    return clamp(x, -32639, 32639);
}

fn clamp_wide(x: i32) -> i32 {
    return clamp(x, -67108863, 67108863);
}

// The accumulator of a split activation's product, in units of 256.
fn join(high: i32, low: i32) -> i32 {
    return high + round_shift(low, 8u);
}

// The shift that brings a row whose largest magnitude is `largest` to at most 2^15.
fn row_shift(largest: u32) -> u32 {
    let zeros = countLeadingZeros(largest);
    return select(0u, 17u - zeros, zeros < 17u);
}

// Adds floor((high * 2^32 + low) / 4^shift) to a sum of squares.
fn add_epsilon(sum: SquareSum, low: u32, high: u32, shift: u32) -> SquareSum {
    let bits = (2u * shift) & 31u;
    let above = select(high << ((32u - bits) & 31u), 0u, bits == 0u);
    let bottom = (low >> bits) | above;
    let top = high >> bits;
    return SquareSum(sum.low + (bottom & 0xffffu), sum.high + (bottom >> 16u) + (top << 16u));
}

// Adds four partial sums. Which values they cover does not matter, nor does the order.
fn wide_add(sum: WideSum4, partial: vec4i) -> WideSum4 {
    return WideSum4(sum.low + (bitcast<vec4u>(partial) & vec4u(0xffffu)), sum.high + (partial >> vec4u(16u)));
}

fn wide_merge(a: WideSum4, b: WideSum4) -> WideSum4 {
    return WideSum4(a.low + b.low, a.high + b.high);
}

// weighted sum / total with 8 fraction bits; the sum is first cut, downwards, to the bits that the total has.
fn context_wide(sum: WideSum, total: Reciprocal) -> i32 {
    let high = sum.high + bitcast<i32>(sum.low >> 16u);
    let low = sum.low & 0xffffu;
    let cut = shift_left(high, 16u - total.exponent) + bitcast<i32>(low >> (total.exponent & 31u));
    return round_shift(mul16(shift_left(cut, 8u), total.factor), 13u);
}
