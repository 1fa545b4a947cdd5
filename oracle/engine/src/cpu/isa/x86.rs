//! The vectors of x86-64.
//!
//! `vpdpbusd` multiplies unsigned bytes with signed ones and adds four products to a 32-bit sum without saturating. An
//! operand is made unsigned by adding 128, and 128 times the sum of the other one is taken off at the end; both are exact
//! modulo 2^32. AVX2 alone has no such instruction (`vpmaddubsw` saturates), so bytes are widened to 16 bits first:
//! a pair of products is at most 2^15 then, far from what `vpmaddwd` holds.

use std::arch::x86_64::*;

use super::{
    Dots, Isa, Mix, Tiles, mix,
    vector::{Vector, dots, tiles},
};

/// 256-bit vectors of 16-bit products.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

/// 256-bit vectors with dot products of bytes.
#[derive(Clone, Copy)]
pub(crate) struct AvxVnni;

/// 512-bit vectors with dot products of bytes.
#[derive(Clone, Copy)]
pub(crate) struct Vnni;

impl Isa for Avx2 {
    const OFFSET: i32 = 0;
    const LANES: usize = 8;
    const GROUP: usize = 2;

    #[inline(always)]
    fn dots(job: Dots<'_>) {
        // SAFETY: a level runs its kernels only on a processor that has its instructions.
        unsafe { dots::<Self, 4>(job) }
    }

    #[inline(always)]
    fn tiles(job: Tiles<'_>) {
        // SAFETY: as above.
        unsafe { tiles::<Self, 4>(job) }
    }

    #[inline(always)]
    fn mix(job: Mix<'_>) {
        // SAFETY: as above.
        unsafe { mix::half(job, 0) }
    }

    #[inline(always)]
    fn word([a, b, ..]: [i8; 4]) -> u32 {
        u32::from(i16::from(a) as u16) | u32::from(i16::from(b) as u16) << 16
    }
}

impl Isa for AvxVnni {
    const OFFSET: i32 = 128;
    const LANES: usize = 8;
    const GROUP: usize = 4;

    #[inline(always)]
    fn dots(job: Dots<'_>) {
        // SAFETY: a level runs its kernels only on a processor that has its instructions.
        unsafe { dots::<Self, 4>(job) }
    }

    #[inline(always)]
    fn tiles(job: Tiles<'_>) {
        // SAFETY: as above.
        unsafe { tiles::<Self, 6>(job) }
    }

    #[inline(always)]
    fn mix(job: Mix<'_>) {
        // SAFETY: as above.
        unsafe { mix::half(job, 0) }
    }

    #[inline(always)]
    fn word(inputs: [i8; 4]) -> u32 {
        u32::from_le_bytes(inputs.map(|v| v as u8)) ^ 0x8080_8080
    }
}

impl Isa for Vnni {
    const OFFSET: i32 = 128;
    const LANES: usize = 16;
    const GROUP: usize = 4;

    #[inline(always)]
    fn dots(job: Dots<'_>) {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
        fn wide(job: Dots<'_>) {
            // SAFETY: this function has what the vectors need.
            unsafe { dots::<Vnni, 8>(job) }
        }
        // SAFETY: a level runs its kernels only on a processor that has its instructions.
        unsafe { wide(job) }
    }

    #[inline(always)]
    fn tiles(job: Tiles<'_>) {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
        fn wide(job: Tiles<'_>) {
            // SAFETY: as above.
            unsafe { tiles::<Vnni, 12>(job) }
        }
        // SAFETY: as above.
        unsafe { wide(job) }
    }

    #[inline(always)]
    fn mix(mut job: Mix<'_>) {
        // What vectors leave is done outside: it is a plain loop, see `Level::run`.
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
        fn wide(job: &mut Mix<'_>) -> usize {
            // SAFETY: this function has what the vectors need.
            unsafe { mix::full(job) }
        }
        // SAFETY: as above; this level has AVX2, too.
        unsafe {
            let from = wide(&mut job);
            mix::half(job, from);
        }
    }

    #[inline(always)]
    fn word(inputs: [i8; 4]) -> u32 {
        u32::from_le_bytes(inputs.map(|v| v as u8)) ^ 0x8080_8080
    }
}

#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "safe for one reason: each function does what the trait says, with the instructions of its level, on memory and a \
              processor that its caller answers for"
)]
impl Vector for Avx2 {
    const BYTES: usize = 16;
    const ROWS: usize = 2;
    const WIDEN: bool = true;
    type V = __m256i;

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn weights(at: *const i8) -> __m256i {
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(at.cast())) }
    }

    #[inline(always)]
    unsafe fn weights_part(at: *const i8, len: usize) -> __m256i {
        unsafe { Self::weights(part::<16>(at, len).as_ptr()) }
    }

    #[inline(always)]
    unsafe fn inputs(at: *const i8) -> __m256i {
        unsafe { Self::weights(at) }
    }

    #[inline(always)]
    unsafe fn inputs_part(at: *const i8, len: usize) -> __m256i {
        unsafe { Self::weights_part(at, len) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
    }

    #[inline(always)]
    unsafe fn sum(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    unsafe fn reduce(sums: [__m256i; 4]) -> __m128i {
        unsafe { reduce_256(sums) }
    }

    #[inline(always)]
    unsafe fn words(at: *const u32) -> __m256i {
        unsafe { _mm256_loadu_si256(at.cast()) }
    }

    #[inline(always)]
    unsafe fn spread(at: *const u8) -> __m256i {
        unsafe { _mm256_set1_epi32(at.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn store(sum: __m256i, at: *mut i32) {
        unsafe { _mm256_storeu_si256(at.cast(), sum) }
    }
}

#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "safe for one reason: each function does what the trait says, with the instructions of its level, on memory and a \
              processor that its caller answers for"
)]
impl Vector for AvxVnni {
    const BYTES: usize = 32;
    const ROWS: usize = 2;
    const WIDEN: bool = false;
    type V = __m256i;

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn weights(at: *const i8) -> __m256i {
        unsafe { _mm256_xor_si256(Self::inputs(at), _mm256_set1_epi8(-128)) }
    }

    #[inline(always)]
    unsafe fn weights_part(at: *const i8, len: usize) -> __m256i {
        unsafe { Self::weights(part::<32>(at, len).as_ptr()) }
    }

    #[inline(always)]
    unsafe fn inputs(at: *const i8) -> __m256i {
        unsafe { _mm256_loadu_si256(at.cast()) }
    }

    #[inline(always)]
    unsafe fn inputs_part(at: *const i8, len: usize) -> __m256i {
        unsafe { Self::inputs(part::<32>(at, len).as_ptr()) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_dpbusd_avx_epi32(sum, a, b) }
    }

    #[inline(always)]
    unsafe fn sum(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(a, b) }
    }

    #[inline(always)]
    unsafe fn reduce(sums: [__m256i; 4]) -> __m128i {
        unsafe { reduce_256(sums) }
    }

    #[inline(always)]
    unsafe fn words(at: *const u32) -> __m256i {
        unsafe { _mm256_loadu_si256(at.cast()) }
    }

    #[inline(always)]
    unsafe fn spread(at: *const u8) -> __m256i {
        unsafe { _mm256_set1_epi32(at.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn store(sum: __m256i, at: *mut i32) {
        unsafe { _mm256_storeu_si256(at.cast(), sum) }
    }
}

#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "safe for one reason: each function does what the trait says, with the instructions of its level, on memory and a \
              processor that its caller answers for"
)]
impl Vector for Vnni {
    const BYTES: usize = 64;
    const ROWS: usize = 4;
    const WIDEN: bool = false;
    type V = __m512i;

    #[inline(always)]
    unsafe fn zero() -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }

    #[inline(always)]
    unsafe fn weights(at: *const i8) -> __m512i {
        unsafe { _mm512_xor_si512(Self::inputs(at), _mm512_set1_epi8(-128)) }
    }

    #[inline(always)]
    unsafe fn weights_part(at: *const i8, len: usize) -> __m512i {
        unsafe { _mm512_xor_si512(Self::inputs_part(at, len), _mm512_set1_epi8(-128)) }
    }

    #[inline(always)]
    unsafe fn inputs(at: *const i8) -> __m512i {
        unsafe { _mm512_loadu_si512(at.cast()) }
    }

    #[inline(always)]
    unsafe fn inputs_part(at: *const i8, len: usize) -> __m512i {
        unsafe { _mm512_maskz_loadu_epi8((1u64 << len) - 1, at) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sum, a, b) }
    }

    #[inline(always)]
    unsafe fn sum(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi32(a, b) }
    }

    #[inline(always)]
    unsafe fn reduce([a, b, c, d]: [__m512i; 4]) -> __m128i {
        unsafe {
            let ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
            let cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
            let all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
            let half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64::<1>(all));
            _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
        }
    }

    #[inline(always)]
    unsafe fn words(at: *const u32) -> __m512i {
        unsafe { _mm512_loadu_si512(at.cast()) }
    }

    #[inline(always)]
    unsafe fn spread(at: *const u8) -> __m512i {
        unsafe { _mm512_set1_epi32(at.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn store(sum: __m512i, at: *mut i32) {
        unsafe { _mm512_storeu_si512(at.cast(), sum) }
    }
}

/// The first `len` bytes, then zeros.
///
/// # Safety
/// So many bytes must be readable.
#[inline(always)]
unsafe fn part<const N: usize>(at: *const i8, len: usize) -> [i8; N] {
    let mut bytes = [0i8; N];
    for (i, byte) in bytes.iter_mut().enumerate().take(len) {
        // SAFETY: i < len.
        *byte = unsafe { *at.add(i) };
    }
    bytes
}

/// The sums over each of four vectors.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn reduce_256([a, b, c, d]: [__m256i; 4]) -> __m128i {
    // SAFETY: the caller says that the processor has these instructions; no memory is touched.
    unsafe {
        let ab = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        let cd = _mm256_add_epi32(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
        let all = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
        _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all))
    }
}
