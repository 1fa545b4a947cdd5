// A table's function at x, between two entries a line; `bits` of an argument lie between two entries. The importing
// kernel binds `table`, i32 [2^(16 - bits) + 1].
#import shared/fixed

fn interpolate(x: i32, bits: u32) -> i32 {
    let at = bitcast<u32>(clamp_i16(x) + 32768);
    let i = at >> (bits & 31u);
    let whole = 1u << (bits & 31u);
    let part = at & (whole - 1u);
    let left = table[i] * bitcast<i32>(whole - part);
    return round_shift(left + table[i + 1u] * bitcast<i32>(part), bits);
}
