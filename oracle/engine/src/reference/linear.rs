//! Matrix products of signed bytes.

use provena_arith::fixed::{Scale, clamp_i8, clamp_i16, clamp_wide, join, table_index};
use rayon::prelude::*;

use super::dot::products;
use crate::{
    artifact::TensorRef,
    plan::{Element, i8_stride},
    values::Values,
};

/// What becomes of the accumulators, with its tensors at hand.
pub(super) enum Finish {
    /// Nothing.
    Raw,
    /// Bytes, perhaps without the negative ones.
    Int8 { scale: Vec<Scale>, relu: bool },
    /// A stream.
    Int16 { scale: Vec<Scale> },
    /// A wide stream.
    Wide { scale: Vec<Scale> },
    /// Bytes by way of a table.
    Table { in_scale: Vec<Scale>, table: Vec<i32>, out_scale: Vec<Scale> },
}

impl Finish {
    /// The final value of output `n` of a row.
    fn apply(&self, n: usize, acc: i32) -> i32 {
        match self {
            Self::Raw => acc,
            Self::Int8 { scale, relu } => {
                let v = scale[n].apply(acc);
                clamp_i8(if *relu { v.max(0) } else { v })
            }
            Self::Int16 { scale } => clamp_i16(scale[n].apply(acc)),
            Self::Wide { scale } => clamp_wide(scale[n].apply(acc)),
            Self::Table { in_scale, table, out_scale } => {
                let at = table_index(in_scale[n].apply(acc), table.len() as u32);
                clamp_i8(out_scale[n].apply(table[at as usize]))
            }
        }
    }

    fn gives_bytes(&self) -> bool {
        matches!(self, Self::Int8 { .. } | Self::Table { .. })
    }
}

/// A matrix product that is ready to run.
pub(super) struct Linear<'a> {
    /// Bytes `[rows][inputs]`, padded.
    pub x: &'a [i8],
    /// `[outputs][inputs]`, padded.
    pub weight: TensorRef<'a>,
    /// `[outputs]`.
    pub bias: Vec<i32>,
}

/// Rows of x that one thread takes at a time: few enough to stay in its nearest cache.
const BLOCK_ROWS: usize = 8;

impl Linear<'_> {
    /// The finished outputs, row after row; `element` is what x consists of.
    pub(super) fn run(&self, element: Element, finish: &Finish) -> Values {
        let outputs = self.weight.rows;
        let mut acc = if element == Element::Split {
            let stride = self.weight.stride();
            let plane = |from: usize| -> Vec<i8> {
                self.x.chunks_exact(2 * stride).flat_map(|row| row[from..from + stride].iter().copied()).collect()
            };
            let (high, low) = (self.accumulate(&plane(0)), self.accumulate(&plane(stride)));
            high.into_iter().zip(low).map(|(high, low)| join(high, low)).collect()
        } else {
            self.accumulate(self.x)
        };
        for row in acc.chunks_exact_mut(outputs) {
            row.iter_mut().zip(&self.bias).for_each(|(acc, bias)| *acc = acc.wrapping_add(*bias));
        }
        if finish.gives_bytes() {
            let stride = i8_stride(outputs);
            let mut bytes = vec![0i8; acc.len() / outputs * stride];
            bytes.par_chunks_exact_mut(stride).zip(acc.par_chunks_exact(outputs)).for_each(|(to, from)| {
                for (n, (to, acc)) in to.iter_mut().zip(from).enumerate() {
                    *to = finish.apply(n, *acc) as i8;
                }
            });
            return Values::I8(bytes);
        }
        acc.par_chunks_exact_mut(outputs).for_each(|row| {
            for (n, v) in row.iter_mut().enumerate() {
                *v = finish.apply(n, *v);
            }
        });
        Values::I32(acc)
    }

    /// The products of rows of signed bytes with the weight, without the bias.
    fn accumulate(&self, x: &[i8]) -> Vec<i32> {
        let (stride, outputs) = (self.weight.stride(), self.weight.rows);
        let mut acc = vec![0i32; x.len() / stride * outputs];
        let weight: &[i8] = bytemuck::cast_slice(self.weight.bytes);
        let blocks = acc.par_chunks_mut(BLOCK_ROWS * outputs).zip(x.par_chunks(BLOCK_ROWS * stride));
        blocks.for_each(|(acc, x)| products(x, weight, stride, acc));
        acc
    }
}
