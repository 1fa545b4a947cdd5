//! Queries and keys turned by their positions; keys and values put into the cache.

use super::{Lowering, Operand, same, word};
use crate::artifact::Dtype;
use crate::gpu::Key;
use crate::plan::{BufferId, Cache, ROW_FIELDS, TensorId};

impl Lowering<'_> {
    pub(super) fn rotate_store(
        &mut self,
        qkv: BufferId,
        rows: BufferId,
        table: TensorId,
        cache: Cache,
        queries: BufferId,
    ) -> Result<(), String> {
        let Turned { count, heads, half, stride, slot_stride } = self.turned_sizes(qkv, rows, table, cache, queries)?;
        self.dispatch(
            Key::plain("rotate_store"),
            &[word(heads)?, word(cache.kv_heads)?, word(half)?, word(stride)?, slot_stride],
            &[
                (1, Operand::Buffer(qkv)),
                (2, Operand::Buffer(rows)),
                (3, Operand::Tensor(table)),
                (4, Operand::Buffer(cache.keys)),
                (5, Operand::Buffer(cache.values)),
                (6, Operand::Buffer(queries)),
            ],
            [((heads + 2 * cache.kv_heads) * half).div_ceil(32), count, 1],
        )
    }

    /// The sizes of what is turned and stored, which fit each other.
    pub(super) fn turned_sizes(
        &self,
        qkv: BufferId,
        rows: BufferId,
        table: TensorId,
        cache: Cache,
        queries: BufferId,
    ) -> Result<Turned, String> {
        let count = self.buffer(queries)?.rows;
        let slot_stride = self.slot_stride(&cache)?;
        let heads = self.buffer(queries)?.cols / cache.depth;
        same("width of the queries", self.buffer(queries)?.cols, heads * cache.depth)?;
        same("rows", self.buffer(qkv)?.rows, count)?;
        same("heads", self.buffer(qkv)?.cols, (heads + 2 * cache.kv_heads) * cache.depth)?;
        same("fields of the rows", self.buffer(rows)?.len(), count * ROW_FIELDS)?;
        same("columns of the angles", self.tensor_of(table, Dtype::I16)?.cols, cache.depth)?;
        if self.buffer(queries)?.element != crate::plan::Element::Split {
            return Err(format!("the queries consist of {:?}", self.buffer(queries)?.element));
        }
        let stride = self.buffer(queries)?.stride() / 4;
        Ok(Turned { count, heads, half: cache.depth / 8, stride, slot_stride })
    }

    /// Words from one slot of a cache to the next, once its shape has been checked.
    pub(super) fn slot_stride(&self, cache: &Cache) -> Result<u32, String> {
        let width = cache.kv_heads * cache.depth;
        if cache.depth == 0 || !cache.depth.is_multiple_of(8) || cache.kv_heads == 0 || cache.page == 0 {
            return Err(format!("a cache of {} heads of depth {}, {} a page", cache.kv_heads, cache.depth, cache.page));
        }
        same("width of the keys", self.buffer(cache.keys)?.cols, width)?;
        same("width of the values", self.buffer(cache.values)?.cols, width)?;
        same("slots", self.buffer(cache.keys)?.rows, self.buffer(cache.values)?.rows)?;
        word(self.buffer(cache.keys)?.stride() / 4)
    }
}

/// The sizes of what is turned and stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turned {
    /// Rows.
    pub(super) count: usize,
    /// Heads that ask.
    pub(super) heads: usize,
    /// Words of half a head.
    pub(super) half: usize,
    /// Words from one row of the queries to the next.
    pub(super) stride: usize,
    /// Words from one slot to the next.
    pub(super) slot_stride: u32,
}
