//! The shapes in which a matrix product can be computed.
//!
//! They differ in speed alone: every sum is of integers, so its order cannot show.

use crate::gpu::Key;
use crate::kernels::Tuning;

/// What one invocation computes, and how it loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// Invocations of a workgroup. With `broadcast` those of a subgroup.
    pub lanes: u32,
    /// Groups of rows.
    pub groups: u32,
    /// Rows of a group. More than one only with `broadcast`, which then needs a lane for each row and plane.
    pub per: u32,
    /// Fours of columns.
    pub quads: u32,
    /// Whether the lanes of a subgroup load x for each other.
    pub broadcast: bool,
    /// Whether weights are loaded by eight bytes.
    pub words64: bool,
}

impl Tile {
    /// A tile that every device can compute.
    pub(super) const fn plain(lanes: u32, rows: u32, quads: u32) -> Self {
        Self { lanes, groups: rows, per: 1, quads, broadcast: false, words64: false }
    }

    /// Rows of the tile.
    pub(super) const fn rows(self) -> usize {
        (self.groups * self.per) as usize
    }

    /// Columns that a workgroup computes.
    pub(super) const fn columns(self) -> usize {
        (4 * self.quads * self.lanes) as usize
    }

    /// `key` with what this tile asks of the shader.
    pub(super) fn key(self, mut key: Key, planes: u32) -> Key {
        if self.broadcast {
            key = key.with("BROADCAST");
        }
        if self.words64 {
            key = key.with("WORDS64");
        }
        let key = key.size("GROUPS", self.groups).size("PER", self.per).size("QUADS", self.quads);
        key.size("PLANES", planes).constant("LANES", self.lanes)
    }

    /// The tile that is taken where nothing was measured, for a product over so many rows whose x has `planes` rows of
    /// bytes for each.
    pub(super) fn usual(tuning: &Tuning, rows: usize, planes: u32) -> Self {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        if tuning.subgroup >= 4 {
            let per = rows.next_power_of_two().min(tuning.subgroup / planes);
            let broadcast = per * planes > 1;
            return Self { per, quads: 2, broadcast, words64: tuning.words64, ..Self::plain(tuning.subgroup, 1, 2) };
        }
        let rows = match planes {
            _ if rows as usize <= tuning.single_rows => 1,
            1 => 8,
            _ => 4,
        };
        Self::plain(tuning.linear_lanes, rows, 1)
    }
}
