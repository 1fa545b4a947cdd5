//! Layer normalisation.

use provena_arith::fixed::{NORM_BITS, Scale, SquareSum, clamp_i8, clamp_i16, mean, normalise};
use rayon::prelude::*;

use crate::plan::i8_stride;

/// Normalises rows of `cols` values of x, or of x + residual, then applies gain and bias per channel.
pub(super) fn norm(x: &[i32], residual: Option<&[i32]>, cols: usize, gain: &[Scale], bias: &[i32]) -> Vec<i32> {
    let mut out = x.to_vec();
    if let Some(residual) = residual {
        for (v, r) in out.iter_mut().zip(residual) {
            *v = clamp_i16(v.wrapping_add(*r));
        }
    }
    out.par_chunks_exact_mut(cols).for_each(|row| norm_row(row, gain, bias));
    out
}

fn norm_row(row: &mut [i32], gain: &[Scale], bias: &[i32]) {
    let sum = row.iter().fold(0i32, |sum, v| sum.wrapping_add(*v));
    let mean = mean(sum, row.len() as u32);
    let inverse = row.iter().fold(SquareSum::default(), |squares, v| squares.add(v.wrapping_sub(mean))).inverse_root();
    for ((v, gain), bias) in row.iter_mut().zip(gain).zip(bias) {
        let unit = normalise(v.wrapping_sub(mean), inverse, NORM_BITS);
        *v = clamp_i16(gain.apply(unit).wrapping_add(*bias));
    }
}

/// A stream's values as signed bytes, scaled per channel, rows padded.
pub(super) fn quantise(stream: &[i32], cols: usize, scale: &[Scale]) -> Vec<i8> {
    let stride = i8_stride(cols);
    let mut out = vec![0i8; stream.len() / cols * stride];
    for (to, from) in out.chunks_exact_mut(stride).zip(stream.chunks_exact(cols)) {
        for ((to, v), scale) in to.iter_mut().zip(from).zip(scale) {
            *to = clamp_i8(scale.apply(*v)) as i8;
        }
    }
    out
}
