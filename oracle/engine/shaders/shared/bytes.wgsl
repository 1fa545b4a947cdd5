// How a kernel writes bytes for a matrix product: signed bytes, or with SPLIT_OUT values of 16 bits, whose high bytes fill the
// first half of a row and whose low bytes the second. The importing kernel binds `out`, in words.
#import shared/fixed
#import shared/pack
#import shared/wide

// Clamps a value to what the output holds.
fn clamp_bytes(x: i32) -> i32 {
#if SPLIT_OUT
    return clamp_split(x);
#else
    return clamp_i8(x);
#endif
}

// Words of four columns each in a row of `stride` words.
fn column_words(stride: u32) -> u32 {
#if SPLIT_OUT
    return stride / 2u;
#else
    return stride;
#endif
}

// Writes four neighbouring columns of a row of `stride` words.
fn store_bytes(row: u32, stride: u32, word: u32, values: vec4i) {
#if SPLIT_OUT
    out[row * stride + word] = pack_high(values);
    out[row * stride + stride / 2u + word] = pack_i8(values);
#else
    out[row * stride + word] = pack_i8(values);
#endif
}
