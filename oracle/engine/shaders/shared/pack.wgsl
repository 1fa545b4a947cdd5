// Four signed bytes in a word, the first in the lowest bits.

fn pack_i8(v: vec4i) -> u32 {
    let b = bitcast<vec4u>(v) & vec4u(0xffu);
    return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}

// The high bytes of four split values. Their low bytes are what `pack_i8` gives, which drops all but the lowest eight bits.
fn pack_high(v: vec4i) -> u32 {
    return pack_i8((v + vec4i(128)) >> vec4u(8u));
}

fn unpack_i8(word: u32) -> vec4i {
    return bitcast<vec4i>(vec4u(word) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u);
}

// The signed 16-bit half of a word: the low one for 0, the high one for 1.
fn half_i16(word: u32, which: u32) -> i32 {
    return bitcast<i32>(word << (16u - 16u * which)) >> 16u;
}
