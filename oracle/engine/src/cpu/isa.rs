//! Products of signed bytes, and their weighed sums, written once per kind of processor. Everything else is plain code that is compiled again for
//! each [`super::level::Level`].
//!
//! All sums wrap modulo 2^32, as the reference's do, so any order and any tiling gives the same bits.

#[cfg(target_arch = "x86_64")]
mod mix;
mod portable;
#[cfg(target_arch = "x86_64")]
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use portable::Portable;
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, AvxVnni, Vnni};

/// A kind of processor.
pub trait Isa {
    /// What a product gives too much, per unit of the sum over the operand that [`Dots`] and [`Tiles`] say.
    const OFFSET: i32;
    /// Rows of x whose words lie side by side in a packed x; 0 where packing gains nothing.
    const LANES: usize;
    /// Inputs that share a word of a packed x.
    const GROUP: usize;

    /// Does [`Dots`].
    fn dots(job: Dots<'_>);

    /// Does [`Tiles`]; only where [`Isa::LANES`] is not 0.
    fn tiles(job: Tiles<'_>);

    /// Does [`Mix`].
    fn mix(job: Mix<'_>);

    /// The word that holds [`Isa::GROUP`] inputs of one row of x, of which the first `GROUP` of these are taken.
    fn word(inputs: [i8; 4]) -> u32;
}

/// Products of few rows of x with rows of a weight, both as they lie in memory.
pub struct Dots<'a> {
    /// The first row of x, and the others `x_stride` bytes apart.
    pub x: &'a [i8],
    /// Bytes from one row of x to the next.
    pub x_stride: usize,
    /// Rows of x.
    pub rows: usize,
    /// [`Isa::OFFSET`] times the sum of each row of x.
    pub offsets: &'a [i32],
    /// The first row of the weight, and the others `weight_stride` bytes apart.
    pub weight: &'a [i8],
    /// Bytes from one row of the weight to the next.
    pub weight_stride: usize,
    /// Rows of the weight.
    pub outputs: usize,
    /// Elements of a row that count.
    pub inputs: usize,
    /// Product of row r with row n of the weight at `r * out_stride + n`.
    pub out: &'a mut [i32],
    /// Products from one row to the next.
    pub out_stride: usize,
}

impl Dots<'_> {
    /// Makes sure that every row is inside its slice, so that kernels need not look again.
    ///
    /// # Panics
    /// When one is not.
    #[inline(always)]
    fn check(&self) {
        let fits = |len: usize, rows: usize, stride: usize, cols: usize| {
            rows == 0
                || (rows - 1).checked_mul(stride).and_then(|at| at.checked_add(cols)).is_some_and(|end| end <= len)
        };
        assert!(fits(self.x.len(), self.rows, self.x_stride, self.inputs), "rows of x");
        assert!(fits(self.weight.len(), self.outputs, self.weight_stride, self.inputs), "rows of the weight");
        assert!(fits(self.out.len(), self.rows, self.out_stride, self.outputs), "rows of products");
        assert!(self.rows <= self.offsets.len(), "a row of x without an offset");
    }
}

/// Weighed sums: for each row of weights and each column, the sum over what they have in common of weight * value, added to
/// what is there. Attention's scores and contexts are such sums.
///
/// All factors are within the `i16` range, and values are bytes or weights are (a [`pair`] of products stays below 2^31
/// then).
pub struct Mix<'a> {
    /// [`pair`]s of weights: row r has those of the inputs 2 * i and 2 * i + 1 at `i * pair_stride + r * row_stride`.
    /// The last of an odd number of inputs is paired with a weight of zero.
    pub weights: &'a [u32],
    /// Words from one pair of weights to the next.
    pub pair_stride: usize,
    /// Words from one row of weights to the next.
    pub row_stride: usize,
    /// Rows of weights.
    pub rows: usize,
    /// What is weighed.
    pub values: Inputs<'a>,
    /// Inputs of a sum.
    pub inputs: usize,
    /// Columns of the values.
    pub columns: usize,
    /// `[rows][columns]`.
    pub sums: &'a mut [i32],
}

/// The values of [`Mix`].
#[derive(Clone, Copy)]
pub enum Inputs<'a> {
    /// A row of bytes per input, each `stride` bytes after the one before.
    Bytes {
        /// All rows.
        values: &'a [i8],
        /// Bytes from one to the next.
        stride: usize,
    },
    /// A row of [`pair`]s for each two inputs, one after the other.
    Pairs(&'a [u32]),
}

/// Two whole numbers, each within the `i16` range, in one word as they lie in memory one after the other.
#[inline(always)]
pub(super) fn pair(first: i32, second: i32) -> u32 {
    bytemuck::cast([first as i16, second as i16])
}

/// The first and the second number of a [`pair`].
#[inline(always)]
fn unpair(pair: u32) -> [i32; 2] {
    bytemuck::cast::<u32, [i16; 2]>(pair).map(i32::from)
}

impl Mix<'_> {
    /// Makes sure that everything is inside its slice, so that kernels need not look again.
    ///
    /// # Panics
    /// When something is not.
    #[inline(always)]
    fn check(&self) {
        let (rows, pairs) = (self.rows, self.inputs.div_ceil(2));
        assert!(rows.checked_mul(self.columns).is_some_and(|end| end <= self.sums.len()), "rows of sums");
        if rows == 0 || pairs == 0 {
            return;
        }
        let last = |count: usize, stride: usize| (count - 1).checked_mul(stride);
        let weights = last(pairs, self.pair_stride).zip(last(rows, self.row_stride));
        let weights = weights.and_then(|(a, b)| a.checked_add(b));
        assert!(weights.is_some_and(|at| at < self.weights.len()), "pairs of weights");
        let (end, len) = match self.values {
            Inputs::Bytes { values, stride } => {
                (last(self.inputs, stride).and_then(|at| at.checked_add(self.columns)), values.len())
            }
            Inputs::Pairs(pairs) => (self.inputs.div_ceil(2).checked_mul(self.columns), pairs.len()),
        };
        assert!(end.is_some_and(|end| end <= len), "rows of values");
    }

    /// Does the columns from `from` on.
    #[inline(always)]
    fn rest(self, from: usize) {
        if from == self.columns {
            return;
        }
        for (row, sums) in self.sums.chunks_exact_mut(self.columns).enumerate().take(self.rows) {
            for i in 0..self.inputs.div_ceil(2) {
                let weights = unpair(self.weights[i * self.pair_stride + row * self.row_stride]);
                match self.values {
                    Inputs::Bytes { values, stride } => {
                        for (input, weight) in (2 * i..self.inputs).zip(weights) {
                            let values = &values[input * stride..][from..self.columns];
                            for (sum, v) in sums[from..].iter_mut().zip(values) {
                                *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(*v)));
                            }
                        }
                    }
                    Inputs::Pairs(pairs) => {
                        let pairs = &pairs[i * self.columns..][from..self.columns];
                        for (sum, two) in sums[from..].iter_mut().zip(pairs) {
                            let [a, b] = unpair(*two);
                            *sum =
                                sum.wrapping_add(weights[0].wrapping_mul(a)).wrapping_add(weights[1].wrapping_mul(b));
                        }
                    }
                }
            }
        }
    }
}

/// Products of many rows of x, packed, with rows of a weight as they lie in memory.
///
/// A packed x is `[blocks][inputs / GROUP][LANES]` words: a block has `LANES` rows, and what lies beyond the last row may be
/// anything.
pub struct Tiles<'a> {
    /// Packed x.
    pub x: &'a [u32],
    /// Rows of x that count.
    pub rows: usize,
    /// Rows of the weight, one after the other.
    pub weight: &'a [i8],
    /// [`Isa::OFFSET`] times the sum of each row of the weight.
    pub offsets: &'a [i32],
    /// Elements of a row: a multiple of 16.
    pub inputs: usize,
    /// Product of row r with row n of the weight at `r * out_stride + n`.
    pub out: &'a mut [i32],
    /// Products from one row to the next.
    pub out_stride: usize,
    /// Memory for the kernel's own use.
    pub scratch: &'a mut Vec<i16>,
}

// Plain code packs nothing, so only these processors ask.
#[cfg(target_arch = "x86_64")]
impl Tiles<'_> {
    /// Rows of the weight.
    #[inline(always)]
    fn outputs(&self) -> usize {
        self.offsets.len()
    }

    /// Makes sure that every row is inside its slice, so that kernels need not look again.
    ///
    /// # Panics
    /// When one is not.
    #[inline(always)]
    fn check(&self, lanes: usize, group: usize) {
        assert!(self.inputs.is_multiple_of(16), "rows are padded");
        assert!(self.x.len() >= self.rows.div_ceil(lanes) * lanes * (self.inputs / group), "rows of x");
        assert!(self.weight.len() >= self.outputs() * self.inputs, "rows of the weight");
        let end = self.rows.saturating_sub(1) * self.out_stride + self.outputs();
        assert!(self.rows == 0 || end <= self.out.len(), "rows of products");
    }
}
