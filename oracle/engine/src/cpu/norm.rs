//! Normalisations, a row at a time.

use provena_arith::fixed::{
    NORM_BITS, Scale, SquareSum, clamp_i8, clamp_i16, clamp_wide, mean, normalise, round_shift, row_shift,
};

use super::{bytes::pack_row, context::Context, isa::Isa, level::Kernel, shared::Shared};
use crate::{
    plan::{Element, i8_stride},
    reference::UNIT_BITS,
};

/// Layer normalisation.
#[derive(Clone, Copy)]
pub(super) struct Norm<'a> {
    /// `[rows][width]`.
    pub x: &'a [i32],
    /// `[rows][width]`.
    pub residual: Option<&'a [i32]>,
    /// `[width]`.
    pub gain: &'a [Scale],
    /// `[width]`.
    pub bias: &'a [i32],
    /// `[width]`; empty where no bytes are wanted.
    pub scale: &'a [Scale],
}

impl Norm<'_> {
    /// Writes all of `out`, and of `bytes` where there is a scale for them.
    pub(super) fn run(&self, context: &mut Context, out: &mut [i32], bytes: &mut [i8]) {
        let (width, level) = (self.gain.len(), context.level());
        let stride = if self.scale.is_empty() { 0 } else { i8_stride(width) };
        let (out, bytes) = (Shared::new(out), Shared::new(bytes));
        context.ranges(self.x.len() / width, width, |_, rows| {
            for row in rows {
                // SAFETY: ranges of rows do not overlap.
                let (out, bytes) =
                    unsafe { (out.part(row * width..(row + 1) * width), bytes.part(row * stride..(row + 1) * stride)) };
                level.run(NormRow { norm: self, row, out, bytes });
            }
        });
    }
}

struct NormRow<'a> {
    norm: &'a Norm<'a>,
    row: usize,
    out: &'a mut [i32],
    bytes: &'a mut [i8],
}

impl Kernel for NormRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { norm, row, out, bytes } = self;
        let width = out.len();
        let range = row * width..(row + 1) * width;
        out.copy_from_slice(&norm.x[range.clone()]);
        if let Some(residual) = norm.residual {
            for (v, r) in out.iter_mut().zip(&residual[range]) {
                *v = clamp_i16(v.wrapping_add(*r));
            }
        }
        let mean = mean(out.iter().fold(0i32, |sum, v| sum.wrapping_add(*v)), width as u32);
        out.iter_mut().for_each(|v| *v = v.wrapping_sub(mean));
        let inverse = out.iter().fold(SquareSum::default(), |squares, v| squares.add(*v)).inverse_root();
        for ((v, gain), bias) in out.iter_mut().zip(norm.gain).zip(norm.bias) {
            *v = clamp_i16(gain.apply(normalise(*v, inverse, NORM_BITS)).wrapping_add(*bias));
        }
        if !bytes.is_empty() {
            for ((to, v), scale) in bytes.iter_mut().zip(&*out).zip(norm.scale) {
                *to = clamp_i8(scale.apply(*v)) as i8;
            }
            bytes[width..].fill(0);
        }
    }
}

/// Root-mean-square normalisation of a wide stream.
#[derive(Clone, Copy)]
pub(super) struct RmsNorm<'a> {
    /// `[rows][width]`.
    pub x: &'a [i32],
    /// `[rows][width]`.
    pub residual: Option<&'a [i32]>,
    /// `[width]`.
    pub gain: &'a [Scale],
    /// The low and the high word.
    pub epsilon: [u32; 2],
    /// Whether the sum is kept.
    pub keep: bool,
    /// What the bytes are.
    pub element: Element,
}

impl RmsNorm<'_> {
    /// Writes all of `out`, and of `sum` where it is kept.
    pub(super) fn run(&self, context: &mut Context, sum: &mut [i32], out: &mut [i8]) {
        let (width, level) = (self.gain.len(), context.level());
        let rows = self.x.len() / width;
        let (kept, stride) = (if self.keep { width } else { 0 }, out.len() / rows.max(1));
        let (sum, out) = (Shared::new(sum), Shared::new(out));
        context.ranges(rows, width, |scratch, rows| {
            scratch.words.resize(width, 0);
            for row in rows {
                // SAFETY: ranges of rows do not overlap.
                let (sum, out) =
                    unsafe { (sum.part(row * kept..(row + 1) * kept), out.part(row * stride..(row + 1) * stride)) };
                level.run(RmsNormRow { norm: self, row, v: &mut scratch.words[..width], sum, out });
            }
        });
    }
}

struct RmsNormRow<'a> {
    norm: &'a RmsNorm<'a>,
    row: usize,
    v: &'a mut [i32],
    sum: &'a mut [i32],
    out: &'a mut [i8],
}

impl Kernel for RmsNormRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { norm, row, v, sum, out } = self;
        let range = row * v.len()..(row + 1) * v.len();
        v.copy_from_slice(&norm.x[range.clone()]);
        if let Some(residual) = norm.residual {
            for (v, r) in v.iter_mut().zip(&residual[range]) {
                *v = clamp_wide(v.wrapping_add(*r));
            }
        }
        if !sum.is_empty() {
            sum.copy_from_slice(v);
        }
        let shift = row_shift(v.iter().fold(0, |largest, v| largest.max(v.unsigned_abs())));
        v.iter_mut().for_each(|v| *v = round_shift(*v, shift));
        let squares = v.iter().fold(SquareSum::default(), |sum, v| sum.add(*v));
        let inverse = squares.add_epsilon(norm.epsilon[0], norm.epsilon[1], shift).inverse_root();
        for (v, gain) in v.iter_mut().zip(norm.gain) {
            *v = gain.apply(normalise(*v, inverse, NORM_BITS));
        }
        pack_row(norm.element, v, out);
    }
}

/// A row brought to length one.
pub(super) struct UnitRow<'a> {
    /// The row.
    pub x: &'a [i32],
    /// The result.
    pub out: &'a mut [i32],
}

impl Kernel for UnitRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { x, out } = self;
        let shift = row_shift(x.iter().fold(0, |largest, v| largest.max(v.unsigned_abs())));
        for (to, v) in out.iter_mut().zip(x) {
            *to = round_shift(*v, shift);
        }
        let inverse = out.iter().fold(SquareSum::default(), |sum, v| sum.add(*v)).inverse_root();
        for v in out {
            *v = clamp_i16(normalise(*v, inverse, UNIT_BITS));
        }
    }
}
