//! Matrix products.
//!
//! With few rows of x (a decoder's next token) the time is that of reading the weight once, so rows of x go along with
//! each row of the weight, both planes of a split x at once. With many rows, x is packed such that a vector holds one
//! word of each of several rows; then products need no sums across a vector.

use std::ops::Range;

use provena_arith::fixed::{Scale, clamp_i8, clamp_i16, clamp_wide, join, table_index};

use super::{
    context::{Context, Scratch},
    isa::{Dots, Isa, Tiles},
    level::Kernel,
    shared::Shared,
    tensors::offset,
};
use crate::{plan::i8_stride, values::Values};

/// Rows of x, planes counted apart, from which on packing them pays.
const PACK_FROM: usize = 7;
/// Bytes of a weight that a thread takes at a time when there are few rows of x.
const PIECE_BYTES: usize = 96 << 10;
/// Rows of a weight that a thread takes at a time when there are many rows of x: a multiple of what kernels take.
const PIECE_OUTPUTS: usize = 48;
/// Rows of x that a thread takes at a time: their sums, and a part of x, stay in its second cache.
const PIECE_ROWS: usize = 256;
/// Products that are not worth a second thread.
const SERIAL_PRODUCTS: usize = 200_000;

/// What becomes of the accumulators.
#[derive(Clone, Copy)]
pub(super) enum Finish<'a> {
    /// Nothing.
    Raw,
    /// Bytes, perhaps without the negative ones.
    Int8 { scale: &'a [Scale], relu: bool },
    /// A stream.
    Int16 { scale: &'a [Scale] },
    /// A wide stream.
    Wide { scale: &'a [Scale] },
    /// Bytes by way of a table.
    Table { in_scale: &'a [Scale], table: &'a [i32], out_scale: &'a [Scale] },
}

/// A matrix product that is ready to run.
#[derive(Clone, Copy)]
pub(super) struct Linear<'a> {
    /// `[rows][planes][stride]`.
    pub x: &'a [i8],
    /// Planes of a row of x: two for a split x.
    pub planes: usize,
    /// `[outputs][stride]`.
    pub weight: &'a [i8],
    /// Bytes of a row of the weight.
    pub stride: usize,
    /// `[outputs]`: what products of a packed x have to take off.
    pub offsets: &'a [i32],
    /// `[outputs]`.
    pub bias: &'a [i32],
    /// What becomes of the accumulators.
    pub finish: Finish<'a>,
}

/// Where the results go.
#[derive(Clone, Copy)]
enum Out<'a> {
    Words(Shared<'a, i32>),
    Bytes(Shared<'a, i8>),
}

impl Linear<'_> {
    fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Writes all of `out`.
    pub(super) fn run(&self, context: &mut Context, out: &mut Values) {
        let out = match out {
            Values::I32(out) => Out::Words(Shared::new(out)),
            Values::I8(out) => Out::Bytes(Shared::new(out)),
            Values::U32(_) => unreachable!("a product of words without a sign"),
        };
        // A plane counts as a row until the sums of a row's planes are joined.
        let rows = self.x.len() / self.stride;
        let level = context.level();
        let lanes = level.run(Lanes);
        let (mut packed, mut offsets) = (std::mem::take(&mut context.packed), std::mem::take(&mut context.offsets));
        let tiled = lanes != 0 && rows >= PACK_FROM;
        if tiled {
            let words = self.stride / level.run(Group) * lanes;
            let blocks = rows.div_ceil(lanes);
            packed.resize(blocks * words, 0);
            let target = Shared::new(&mut packed);
            context.ranges(blocks, words, |_, blocks| {
                // SAFETY: ranges of blocks do not overlap.
                let to = unsafe { target.part(blocks.start * words..blocks.end * words) };
                let from = &self.x[blocks.start * lanes * self.stride..rows.min(blocks.end * lanes) * self.stride];
                level.run(Pack { from, stride: self.stride, to });
            });
        } else {
            offsets.clear();
            level.run(Offsets { x: self.x, stride: self.stride, offsets: &mut offsets });
        }
        let outputs = self.outputs();
        let serial = rows * outputs * self.stride < SERIAL_PRODUCTS;
        let per_piece = if serial {
            outputs
        } else if tiled {
            PIECE_OUTPUTS
        } else {
            (PIECE_BYTES / self.stride).next_multiple_of(8).min(outputs.div_ceil(context.threads()).next_multiple_of(8))
        }
        .max(1);
        let across = rows.div_ceil(PIECE_ROWS).max(1);
        context.pieces(outputs.div_ceil(per_piece) * across, |scratch, piece| {
            let (n, r) = (piece / across * per_piece, piece % across * PIECE_ROWS);
            level.run(Piece {
                linear: self,
                packed: if tiled { &packed } else { &[] },
                offsets: &offsets,
                rows: r..rows.min(r + PIECE_ROWS),
                outputs: n..outputs.min(n + per_piece),
                out,
                scratch,
            });
        });
        (context.packed, context.offsets) = (packed, offsets);
    }
}

/// [`Isa::LANES`].
struct Lanes;

impl Kernel for Lanes {
    type Output = usize;

    #[inline(always)]
    fn run<I: Isa>(self) -> usize {
        I::LANES
    }
}

/// [`Isa::GROUP`].
struct Group;

impl Kernel for Group {
    type Output = usize;

    #[inline(always)]
    fn run<I: Isa>(self) -> usize {
        I::GROUP
    }
}

/// What products with each row of x have to take off.
struct Offsets<'a> {
    x: &'a [i8],
    stride: usize,
    offsets: &'a mut Vec<i32>,
}

impl Kernel for Offsets<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.offsets.extend(self.x.chunks_exact(self.stride).map(|row| offset::<I>(row)));
    }
}

/// Some blocks of x are packed, see [`Tiles`].
struct Pack<'a> {
    from: &'a [i8],
    stride: usize,
    to: &'a mut [u32],
}

impl Kernel for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let blocks = self.to.chunks_exact_mut(self.stride / I::GROUP * I::LANES);
        for (to, from) in blocks.zip(self.from.chunks(self.stride * I::LANES)) {
            for (lane, row) in from.chunks_exact(self.stride).enumerate() {
                for (words, inputs) in to.chunks_exact_mut(I::LANES).zip(row.chunks_exact(I::GROUP)) {
                    let mut group = [0; 4];
                    group[..I::GROUP].copy_from_slice(inputs);
                    words[lane] = I::word(group);
                }
            }
        }
    }
}

/// Some rows of x with some rows of the weight.
struct Piece<'a> {
    linear: &'a Linear<'a>,
    packed: &'a [u32],
    offsets: &'a [i32],
    rows: Range<usize>,
    outputs: Range<usize>,
    out: Out<'a>,
    scratch: &'a mut Scratch,
}

impl Kernel for Piece<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { linear, packed, offsets, rows, outputs, out, scratch } = self;
        let (stride, count) = (linear.stride, outputs.len());
        scratch.sums.resize(rows.len() * count, 0);
        let weight = &linear.weight[outputs.start * stride..outputs.end * stride];
        let sums = &mut scratch.sums[..rows.len() * count];
        if packed.is_empty() {
            I::dots(Dots {
                x: &linear.x[rows.start * stride..rows.end * stride],
                x_stride: stride,
                rows: rows.len(),
                offsets: &offsets[rows.clone()],
                weight,
                weight_stride: stride,
                outputs: count,
                inputs: stride,
                out: sums,
                out_stride: count,
            });
        } else {
            I::tiles(Tiles {
                x: &packed[rows.start * (stride / I::GROUP)..],
                rows: rows.len(),
                weight,
                offsets: &linear.offsets[outputs.clone()],
                inputs: stride,
                out: sums,
                out_stride: count,
                scratch: &mut scratch.wide,
            });
        }
        let bias = &linear.bias[outputs.clone()];
        let first = rows.start / linear.planes;
        for (row, sums) in sums.chunks_exact_mut(linear.planes * count).enumerate() {
            let (sums, low) = sums.split_at_mut(count);
            if linear.planes == 2 {
                for ((sum, low), bias) in sums.iter_mut().zip(low).zip(bias) {
                    *sum = bias.wrapping_add(join(*sum, *low));
                }
            } else {
                for (sum, bias) in sums.iter_mut().zip(bias) {
                    *sum = bias.wrapping_add(*sum);
                }
            }
            finish(linear.finish, sums, &outputs, linear.bias.len(), first + row, out);
        }
    }
}

/// Finishes the accumulators of some outputs of one row and keeps them.
#[inline(always)]
fn finish(finish: Finish<'_>, sums: &mut [i32], outputs: &Range<usize>, all: usize, row: usize, out: Out<'_>) {
    match finish {
        Finish::Raw => (),
        Finish::Int8 { scale, relu } => {
            let least = if relu { 0 } else { i32::MIN };
            for (v, scale) in sums.iter_mut().zip(&scale[outputs.clone()]) {
                *v = clamp_i8(scale.apply(*v).max(least));
            }
        }
        Finish::Int16 { scale } => {
            for (v, scale) in sums.iter_mut().zip(&scale[outputs.clone()]) {
                *v = clamp_i16(scale.apply(*v));
            }
        }
        Finish::Wide { scale } => {
            for (v, scale) in sums.iter_mut().zip(&scale[outputs.clone()]) {
                *v = clamp_wide(scale.apply(*v));
            }
        }
        Finish::Table { in_scale, table, out_scale } => {
            let len = table.len() as u32;
            for (v, scale) in sums.iter_mut().zip(&in_scale[outputs.clone()]) {
                *v = table_index(scale.apply(*v), len) as i32;
            }
            for v in &mut *sums {
                *v = table[*v as usize];
            }
            for (v, scale) in sums.iter_mut().zip(&out_scale[outputs.clone()]) {
                *v = clamp_i8(scale.apply(*v));
            }
        }
    }
    match out {
        Out::Words(out) => {
            // SAFETY: pieces have different rows or different outputs.
            unsafe { out.part(row * all + outputs.start..row * all + outputs.end) }.copy_from_slice(sums);
        }
        Out::Bytes(out) => {
            let stride = i8_stride(all);
            let end = if outputs.end == all { stride } else { outputs.end };
            // SAFETY: as above; the padding belongs to the piece with the last output.
            let to = unsafe { out.part(row * stride + outputs.start..row * stride + end) };
            for (to, v) in to.iter_mut().zip(&*sums) {
                *to = *v as i8;
            }
            to[sums.len()..].fill(0);
        }
    }
}
