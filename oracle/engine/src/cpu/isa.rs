//! Products of signed bytes, written once per kind of processor. Everything else is plain code that is compiled again for
//! each [`super::level::Level`].
//!
//! All sums wrap modulo 2^32, as the reference's do, so any order and any tiling gives the same bits.

mod portable;
#[cfg(target_arch = "x86_64")]
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use portable::Portable;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, AvxVnni, Vnni};

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
    /// Product of row r with row n of the weight at r * out_stride + n.
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

/// Products of many rows of x, packed, with rows of a weight as they lie in memory.
///
/// A packed x is [blocks][inputs / GROUP][LANES] words: a block has `LANES` rows, and what lies beyond the last row may be
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
    /// Product of row r with row n of the weight at r * out_stride + n.
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
