//! The loops around a processor's vectors.

#![expect(clippy::needless_range_loop, reason = "rows, lanes and halves are numbers here, of registers and of memory")]

use std::arch::x86_64::{__m128i, _MM_HINT_T1, _mm_prefetch, _mm_set1_epi32, _mm_storeu_si128, _mm_sub_epi32};

use super::{Dots, Isa, Tiles};

/// Vectors of one kind of processor. Every function needs that processor, and readable memory where it gets a pointer.
pub(super) trait Vector: Isa {
    /// Bytes of a row that [`Vector::add`] takes at a time.
    const BYTES: usize;
    /// Rows of x that a step of [`dots`] takes at a time.
    const ROWS: usize;
    /// Whether weights are widened to 16 bits before they are spread.
    const WIDEN: bool;
    /// A vector.
    type V: Copy;

    /// No products.
    unsafe fn zero() -> Self::V;
    /// `BYTES` weights, as the first operand of [`Vector::add`].
    unsafe fn weights(at: *const i8) -> Self::V;
    /// `len` < `BYTES` weights, and nothing else.
    unsafe fn weights_part(at: *const i8, len: usize) -> Self::V;
    /// `BYTES` elements of x, as the second operand of [`Vector::add`].
    unsafe fn inputs(at: *const i8) -> Self::V;
    /// `len` < `BYTES` elements of x, and zeros.
    unsafe fn inputs_part(at: *const i8, len: usize) -> Self::V;
    /// Products and their sums, lane by lane.
    unsafe fn add(sum: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// The sum of two vectors of sums.
    unsafe fn sum(a: Self::V, b: Self::V) -> Self::V;
    /// The sums over each of four vectors.
    unsafe fn reduce(sums: [Self::V; 4]) -> __m128i;
    /// `LANES` words of a packed x, as the first operand of [`Vector::add`].
    unsafe fn words(at: *const u32) -> Self::V;
    /// Four bytes in every lane, as the second operand of [`Vector::add`].
    unsafe fn spread(at: *const u8) -> Self::V;
    /// One word per lane.
    unsafe fn store(sum: Self::V, at: *mut i32);
}

/// Does [`Dots`] with `N` rows of the weight at a time, for up to two rows of x; for more with half as many.
///
/// # Safety
/// The processor has what `T` needs.
#[inline(always)]
pub(super) unsafe fn dots<T: Vector, const N: usize>(job: Dots<'_>) {
    job.check();
    let Dots { x, x_stride, rows, offsets, weight, weight_stride, outputs, inputs, out, out_stride } = job;
    let mut n = 0;
    while n < outputs {
        let count = N.min(outputs - n);
        let mut r = 0;
        while r < rows {
            let together = T::ROWS.min(rows - r);
            // SAFETY: `check` has made sure of all rows, and r + together <= rows, n + count <= outputs.
            unsafe {
                let step = Step {
                    x: x.as_ptr().add(r * x_stride),
                    x_stride,
                    offsets: offsets.as_ptr().add(r),
                    weight: weight.as_ptr().add(n * weight_stride),
                    weight_stride,
                    inputs,
                    out: out.as_mut_ptr().add(r * out_stride + n),
                    out_stride,
                };
                match together {
                    1 => step.run::<T, 1, N>(count),
                    2 => step.run::<T, 2, N>(count),
                    3 => step.halves::<T, 3>(count),
                    _ => step.halves::<T, 4>(count),
                }
            }
            r += together;
        }
        n += count;
    }
}

/// Where some products come from and go to.
#[derive(Clone, Copy)]
struct Step {
    x: *const i8,
    x_stride: usize,
    offsets: *const i32,
    weight: *const i8,
    weight_stride: usize,
    inputs: usize,
    out: *mut i32,
    out_stride: usize,
}

impl Step {
    /// Four rows of the weight at a time.
    ///
    /// # Safety
    /// As [`Step::run`].
    #[inline(always)]
    unsafe fn halves<T: Vector, const R: usize>(self, count: usize) {
        let mut n = 0;
        while n < count {
            // SAFETY: n < count.
            unsafe {
                let step = Self { weight: self.weight.add(n * self.weight_stride), out: self.out.add(n), ..self };
                step.run::<T, R, 4>((count - n).min(4));
            }
            n += 4;
        }
    }

    /// `R` rows of x with the first `count` (1..=N) of `N` rows of the weight.
    ///
    /// # Safety
    /// The processor has what `T` needs, and all these rows are there.
    #[inline(always)]
    unsafe fn run<T: Vector, const R: usize, const N: usize>(self, count: usize) {
        // SAFETY: as the caller says; what lies beyond the last row of the weight is taken from that row and not kept.
        unsafe {
            let mut rows = [self.weight; N];
            for (n, row) in rows.iter_mut().enumerate() {
                *row = self.weight.add(n.min(count - 1) * self.weight_stride);
            }
            let mut sums = [[T::zero(); N]; R];
            for n in 0..N {
                // One row after the other, so that memory is read in its order; two sums each, so that a product need not
                // wait for the one before.
                let row = rows[n];
                let mut own = [[T::zero(); 2]; R];
                let mut at = 0;
                while at + 2 * T::BYTES <= self.inputs {
                    for half in 0..2 {
                        let at = at + half * T::BYTES;
                        let weights = T::weights(row.add(at));
                        for r in 0..R {
                            own[r][half] = T::add(own[r][half], weights, T::inputs(self.x.add(r * self.x_stride + at)));
                        }
                    }
                    at += 2 * T::BYTES;
                }
                if at + T::BYTES <= self.inputs {
                    let weights = T::weights(row.add(at));
                    for r in 0..R {
                        own[r][0] = T::add(own[r][0], weights, T::inputs(self.x.add(r * self.x_stride + at)));
                    }
                    at += T::BYTES;
                }
                let left = self.inputs - at;
                if left != 0 {
                    let weights = T::weights_part(row.add(at), left);
                    for r in 0..R {
                        let x = T::inputs_part(self.x.add(r * self.x_stride + at), left);
                        own[r][1] = T::add(own[r][1], weights, x);
                    }
                }
                for r in 0..R {
                    sums[r][n] = T::sum(own[r][0], own[r][1]);
                }
            }
            for r in 0..R {
                let out = self.out.add(r * self.out_stride);
                let offset = *self.offsets.add(r);
                let mut n = 0;
                while n < N {
                    let four = T::reduce([sums[r][n], sums[r][n + 1], sums[r][n + 2], sums[r][n + 3]]);
                    let four = _mm_sub_epi32(four, _mm_set1_epi32(offset));
                    if n + 4 <= count {
                        _mm_storeu_si128(out.add(n).cast(), four);
                    } else {
                        let mut words = [0i32; 4];
                        _mm_storeu_si128(words.as_mut_ptr().cast(), four);
                        for (i, word) in words.into_iter().enumerate().take(count.saturating_sub(n)) {
                            *out.add(n + i) = word;
                        }
                    }
                    n += 4;
                }
            }
        }
    }
}

/// Does [`Tiles`] with `N` rows of the weight at a time.
///
/// # Safety
/// The processor has what `T` needs.
#[inline(always)]
pub(super) unsafe fn tiles<T: Vector, const N: usize>(job: Tiles<'_>) {
    job.check(T::LANES, T::GROUP);
    let outputs = job.outputs();
    let Tiles { x, rows, weight, offsets, inputs, out, out_stride, scratch, .. } = job;
    let block = T::LANES * (inputs / T::GROUP);
    if T::WIDEN {
        scratch.resize(N * inputs, 0);
    }
    let mut n = 0;
    while n < outputs {
        let count = N.min(outputs - n);
        let weights = &weight[n * inputs..(n + count) * inputs];
        let (base, stride): (*const u8, usize) = if T::WIDEN {
            scratch.iter_mut().zip(weights).for_each(|(to, from)| *to = i16::from(*from));
            (scratch.as_ptr().cast(), 2 * inputs)
        } else {
            (weights.as_ptr().cast(), inputs)
        };
        let mut pointers = [base; N];
        for (i, pointer) in pointers.iter_mut().enumerate() {
            // SAFETY: the row is one of `count` that lie `stride` bytes apart.
            *pointer = unsafe { base.add(i.min(count - 1) * stride) };
        }
        // Where the next rows of the weight begin, whether there are any or not.
        let next = weight.as_ptr().wrapping_add((n + count) * inputs).cast::<u8>();
        let mut r = 0;
        while r < rows {
            let first = x[r * (block / T::LANES)..].as_ptr();
            let left = rows - r;
            // SAFETY: `check` has made sure of all blocks up to the last row's and of the products; r is a multiple of
            // LANES, and a block is `block` words long.
            unsafe {
                let to = Target {
                    out: out.as_mut_ptr().add(r * out_stride + n),
                    out_stride,
                    offsets: &offsets[n..n + count],
                };
                if left > T::LANES {
                    let sums = tile::<T, 2, N>([first, first.add(block)], pointers, inputs / T::GROUP, next);
                    to.store::<T, 2, N>(sums, left);
                    r += 2 * T::LANES;
                } else {
                    let sums = tile::<T, 1, N>([first], pointers, inputs / T::GROUP, next);
                    to.store::<T, 1, N>(sums, left);
                    r += T::LANES;
                }
            }
        }
        n += count;
    }
}

/// The products of `M` blocks of x with `N` rows of the weight: a lane per row of x.
///
/// # Safety
/// The processor has what `T` needs; each x has `steps` * LANES words, each row of the weight `steps` times four bytes.
#[inline(always)]
unsafe fn tile<T: Vector, const M: usize, const N: usize>(
    x: [*const u32; M],
    weight: [*const u8; N],
    steps: usize,
    next: *const u8,
) -> [[T::V; N]; M] {
    // SAFETY: as the caller says.
    unsafe {
        let mut sums = [[T::zero(); N]; M];
        for step in 0..steps {
            // Rows are read a little at a time and side by side, which no processor foresees.
            _mm_prefetch::<_MM_HINT_T1>(next.wrapping_add(64 * step).cast());
            let mut words = [T::zero(); M];
            for m in 0..M {
                words[m] = T::words(x[m].add(step * T::LANES));
            }
            for n in 0..N {
                let weights = T::spread(weight[n].add(4 * step));
                for m in 0..M {
                    sums[m][n] = T::add(sums[m][n], words[m], weights);
                }
            }
        }
        sums
    }
}

/// Where the products of a tile go.
struct Target<'a> {
    out: *mut i32,
    out_stride: usize,
    offsets: &'a [i32],
}

impl Target<'_> {
    /// Keeps the products of the first `rows` rows with as many rows of the weight as there are offsets.
    ///
    /// # Safety
    /// The processor has what `T` needs, and there is room for these products.
    #[inline(always)]
    unsafe fn store<T: Vector, const M: usize, const N: usize>(&self, sums: [[T::V; N]; M], rows: usize) {
        let mut lanes = [[0i32; 16]; N];
        for (m, sums) in sums.into_iter().enumerate() {
            for n in 0..N {
                // SAFETY: LANES is at most 16.
                unsafe { T::store(sums[n], lanes[n].as_mut_ptr()) };
            }
            for lane in 0..T::LANES.min(rows.saturating_sub(m * T::LANES)) {
                // SAFETY: this row is one of `rows`.
                let row = unsafe { self.out.add((m * T::LANES + lane) * self.out_stride) };
                for (n, offset) in self.offsets.iter().enumerate() {
                    // SAFETY: as the caller says.
                    unsafe { *row.add(n) = lanes[n][lane].wrapping_sub(*offset) };
                }
            }
        }
    }
}
