//! Weighed sums: two inputs side by side, so that one instruction multiplies and adds both.
//!
//! Of the two factors one is within the `i16` range and one is a signed byte, so two products are together at most 2^23, and
//! sums wrap as everywhere. Only -2^15 * -2^15 twice would be too much for `vpmaddwd`.

use std::arch::x86_64::*;

use super::{Inputs, Mix};

/// Vectors of pairs. Every function needs a processor that has them, and readable and writable memory where it gets a
/// pointer.
trait Pairs {
    /// Columns of a step: two vectors of sums.
    const COLUMNS: usize;
    /// Rows of weights of a step.
    const ROWS: usize;
    /// A vector.
    type V: Copy;

    /// `COLUMNS` columns of two rows as pairs of 16 bits.
    unsafe fn values(a: *const i8, b: *const i8) -> [Self::V; 2];
    /// A pair in every lane.
    unsafe fn spread(pair: u32) -> Self::V;
    /// Adds the products of pairs, lane by lane.
    unsafe fn add(sum: Self::V, values: Self::V, weights: Self::V) -> Self::V;
    /// Sums, or pairs, as they lie in memory, in the order that `values` has.
    unsafe fn load(at: *const i32) -> [Self::V; 2];
    /// The way back.
    unsafe fn store(sums: [Self::V; 2], at: *mut i32);
}

/// 256-bit vectors.
struct Half;

/// 512-bit vectors with sums of products.
struct Full;

/// Does the columns of [`Mix`] from `from` on with 256-bit vectors, and what they leave without.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
pub(super) unsafe fn half(mut job: Mix<'_>, from: usize) {
    job.check();
    // SAFETY: as the caller says, and `check` has made sure of all rows.
    let from = unsafe { columns::<Half>(&mut job, from) };
    job.rest(from);
}

/// Does as many columns of [`Mix`] as 512-bit vectors can, and says how many.
///
/// # Safety
/// The processor has AVX-512 with VNNI.
#[inline(always)]
pub(super) unsafe fn full(job: &mut Mix<'_>) -> usize {
    job.check();
    // SAFETY: as above.
    unsafe { columns::<Full>(job, 0) }
}

/// As many columns from `from` on as are a multiple of [`Pairs::COLUMNS`]; says where the others begin.
///
/// # Safety
/// The processor has what `P` needs, and [`Mix::check`] has passed.
#[inline(always)]
unsafe fn columns<P: Pairs>(job: &mut Mix<'_>, mut from: usize) -> usize {
    while from + P::COLUMNS <= job.columns {
        let mut row = 0;
        while row < job.rows {
            let left = job.rows - row;
            // SAFETY: these rows and these columns are there.
            row += unsafe {
                match left.min(P::ROWS) {
                    8.. => step::<P, 8>(job, row, from),
                    4.. => step::<P, 4>(job, row, from),
                    2.. => step::<P, 2>(job, row, from),
                    _ => step::<P, 1>(job, row, from),
                }
            };
        }
        from += P::COLUMNS;
    }
    from
}

/// [`Pairs::COLUMNS`] columns from `from` on of `R` rows from `row` on; says how many rows.
///
/// # Safety
/// As [`columns`], and these rows and columns must be there.
#[inline(always)]
unsafe fn step<P: Pairs, const R: usize>(job: &mut Mix<'_>, row: usize, from: usize) -> usize {
    let Mix { weights, pair_stride, row_stride, inputs, columns, .. } = *job;
    // SAFETY: `check` has made sure of all weights, values and sums; the last of an odd number of inputs is its own
    // neighbour, whose weight is zero.
    unsafe {
        let out = job.sums.as_mut_ptr().add(row * columns + from);
        let mut weights = weights.as_ptr().add(row * row_stride);
        // Where the next values lie; only one of them is read.
        let (mut bytes, mut pairs): (*const i8, *const i32) = match job.values {
            Inputs::Bytes { values, .. } => (values.as_ptr().add(from), std::ptr::null()),
            Inputs::Pairs(pairs) => (std::ptr::null(), pairs.as_ptr().add(from).cast()),
        };
        let mut sums = [[P::spread(0); 2]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            *sums = P::load(out.add(r * columns));
        }
        let mut at = 0;
        while at < inputs {
            let [low, high] = match job.values {
                Inputs::Bytes { stride, .. } => {
                    let first = bytes;
                    let second = if at + 1 < inputs { first.add(stride) } else { first };
                    bytes = second.wrapping_add(stride);
                    P::values(first, second)
                }
                Inputs::Pairs(_) => {
                    let first = pairs;
                    pairs = first.wrapping_add(columns);
                    P::load(first)
                }
            };
            for (r, sums) in sums.iter_mut().enumerate() {
                let weight = P::spread(*weights.wrapping_add(r * row_stride));
                *sums = [P::add(sums[0], low, weight), P::add(sums[1], high, weight)];
            }
            weights = weights.wrapping_add(pair_stride);
            at += 2;
        }
        for (r, sums) in sums.into_iter().enumerate() {
            P::store(sums, out.add(r * columns));
        }
    }
    R
}

#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "safe for one reason: each function does what the trait says, with the instructions of its kind, on memory and a \
              processor that its caller answers for"
)]
impl Pairs for Half {
    const COLUMNS: usize = 16;
    const ROWS: usize = 4;
    type V = __m256i;

    #[inline(always)]
    unsafe fn values(a: *const i8, b: *const i8) -> [__m256i; 2] {
        unsafe {
            let (a, b) = (_mm_loadu_si128(a.cast()), _mm_loadu_si128(b.cast()));
            [_mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b)), _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b))]
        }
    }

    #[inline(always)]
    unsafe fn spread(pair: u32) -> __m256i {
        unsafe { _mm256_set1_epi32(pair as i32) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m256i, values: __m256i, weights: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(values, weights)) }
    }

    #[inline(always)]
    unsafe fn load(at: *const i32) -> [__m256i; 2] {
        unsafe { [_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(8).cast())] }
    }

    #[inline(always)]
    unsafe fn store([low, high]: [__m256i; 2], at: *mut i32) {
        unsafe {
            _mm256_storeu_si256(at.cast(), low);
            _mm256_storeu_si256(at.add(8).cast(), high);
        }
    }
}

/// Its vectors have the columns 0 to 7 and 16 to 23, and 8 to 15 and 24 to 31, because bytes are brought together within
/// halves of a vector.
#[expect(
    clippy::undocumented_unsafe_blocks,
    reason = "safe for one reason: each function does what the trait says, with the instructions of its kind, on memory and a \
              processor that its caller answers for"
)]
impl Pairs for Full {
    const COLUMNS: usize = 32;
    const ROWS: usize = 8;
    type V = __m512i;

    #[inline(always)]
    unsafe fn values(a: *const i8, b: *const i8) -> [__m512i; 2] {
        unsafe {
            let (a, b) = (_mm256_loadu_si256(a.cast()), _mm256_loadu_si256(b.cast()));
            [_mm512_cvtepi8_epi16(_mm256_unpacklo_epi8(a, b)), _mm512_cvtepi8_epi16(_mm256_unpackhi_epi8(a, b))]
        }
    }

    #[inline(always)]
    unsafe fn spread(pair: u32) -> __m512i {
        unsafe { _mm512_set1_epi32(pair as i32) }
    }

    #[inline(always)]
    unsafe fn add(sum: __m512i, values: __m512i, weights: __m512i) -> __m512i {
        unsafe { _mm512_dpwssd_epi32(sum, values, weights) }
    }

    #[inline(always)]
    unsafe fn load(at: *const i32) -> [__m512i; 2] {
        unsafe {
            let part = |from: usize| _mm256_loadu_si256(at.add(from).cast());
            let join = |a, b| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(a), b);
            [join(part(0), part(16)), join(part(8), part(24))]
        }
    }

    #[inline(always)]
    unsafe fn store(sums: [__m512i; 2], at: *mut i32) {
        unsafe {
            for (i, sums) in sums.into_iter().enumerate() {
                _mm256_storeu_si256(at.add(8 * i).cast(), _mm512_castsi512_si256(sums));
                _mm256_storeu_si256(at.add(8 * i + 16).cast(), _mm512_extracti64x4_epi64::<1>(sums));
            }
        }
    }
}
