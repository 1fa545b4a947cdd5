//! What is to be computed, as a typed list of operations over numbered buffers.
//!
//! A model is a function from (artifact, input size) to a [`Plan`]. The reference executes a plan one operation at a
//! time; the GPU records the same plan as dispatches. Neither knows any model. `docs/INT_V1.md` defines the operations.

mod buffers;
mod op;
mod sealed;

pub use op::{Cache, LinearOutput, Op, Quantise, ROW_FIELDS, SAMPLE_FIELDS};
pub use sealed::SealedPlan;

/// A tensor of the artifact, by its place in the tensor table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TensorId(pub u32);

/// A buffer of the plan, by its place in [`Plan::buffers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// How a buffer's elements are laid out, on the host and on the device alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// Signed bytes, four to a `u32` word, the first in the lowest bits. Each row is padded with zeros to
    /// [`ROW_ALIGN`] bytes.
    I8,
    /// Whole numbers of -32639..=32639 as 256 * high + low (see [`provena_arith::fixed::split`]). Each row is a row of
    /// [`Element::I8`] with the high bytes, then one with the low bytes.
    Split,
    /// One `i32` per element, rows without padding. Values of an `i16` stream are kept so, too.
    I32,
    /// One `u32` per element, rows without padding.
    U32,
}

/// Rows of `i8` data, activations and weights alike, are padded with zeros to a multiple of this many bytes.
pub const ROW_ALIGN: usize = 16;

/// Bytes from one row of `cols` signed bytes to the next.
pub const fn i8_stride(cols: usize) -> usize {
    cols.next_multiple_of(ROW_ALIGN)
}

/// A matrix that an operation reads or writes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Buffer {
    /// What it is, for labels and traces.
    pub name: String,
    /// How its elements are stored.
    pub element: Element,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns that carry meaning.
    pub cols: usize,
}

impl Buffer {
    /// Elements from one row to the next.
    pub const fn stride(&self) -> usize {
        match self.element {
            Element::I8 => i8_stride(self.cols),
            Element::Split => 2 * i8_stride(self.cols),
            Element::I32 | Element::U32 => self.cols,
        }
    }

    /// Elements in all, padding included.
    pub const fn len(&self) -> usize {
        self.rows * self.stride()
    }

    /// Whether it holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in all, padding included: always a multiple of four.
    pub const fn byte_len(&self) -> usize {
        match self.element {
            Element::I8 | Element::Split => self.len(),
            Element::I32 | Element::U32 => 4 * self.len(),
        }
    }
}

/// One model for one input size.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Plan {
    /// All buffers; each is written by exactly one operation, except the inputs and the state.
    pub buffers: Vec<Buffer>,
    /// In the order of execution.
    pub ops: Vec<Op>,
    /// The buffers that the host fills, in the family's order.
    pub inputs: Vec<BufferId>,
    /// The buffers that outlive an execution, in the family's order: a decoder's keys and values. All plans of a model
    /// that have state have the same.
    pub state: Vec<BufferId>,
    /// The buffers that the host reads, in the family's order.
    pub outputs: Vec<BufferId>,
}

impl Plan {
    /// Adds a buffer of the given shape.
    pub fn buffer(&mut self, name: impl Into<String>, element: Element, rows: usize, cols: usize) -> BufferId {
        self.buffers.push(Buffer { name: name.into(), element, rows, cols });
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// Adds an operation after those already there.
    pub fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// The description of a buffer of this plan.
    pub fn get(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }
}
