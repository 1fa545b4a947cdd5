//! The shapes in which a matrix product can be computed.
//!
//! They differ in speed alone: every sum is of integers, so its order cannot show.

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::gpu::matrix::{SUBGROUPS, Unit};
use crate::gpu::{Caps, Key, Matrix, Switch};
use crate::kernels::Tuning;
use crate::plan::{Buffer, Element, TensorId};

/// What decides which tile is quickest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shape {
    /// Rows of bytes for each row of x.
    pub planes: u32,
    /// Rows, rounded up to a power of two.
    pub rows: u32,
    /// Columns of x.
    pub inputs: u32,
    /// Rows of the weight.
    pub outputs: u32,
}

impl Shape {
    /// The shape of x's product with `weight`; `None` where there can be none.
    #[must_use]
    pub fn of(x: &Buffer, artifact: &Artifact, weight: TensorId) -> Option<Self> {
        let planes = match x.element {
            Element::I8 => 1,
            Element::Split => 2,
            Element::I32 | Element::U32 => return None,
        };
        let outputs =
            if (weight.0 as usize) < artifact.tensor_count() { artifact.tensor(weight).rows } else { return None };
        Self::of_product(planes, x.rows, x.cols, outputs)
    }

    /// The shape of a product with these sizes, if they fit 32 bits.
    #[must_use]
    pub fn of_product(planes: u32, rows: usize, inputs: usize, outputs: usize) -> Option<Self> {
        let word = |size: usize| u32::try_from(size).ok();
        let rows = word(rows)?.checked_next_power_of_two()?;
        Some(Self { planes, rows, inputs: word(inputs)?, outputs: word(outputs)? })
    }

    /// Multiplications, about.
    #[must_use]
    pub const fn work(self) -> usize {
        (self.planes as usize * self.rows as usize).saturating_mul(self.inputs as usize * self.outputs as usize)
    }
}

/// Which kernel computes a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Method {
    /// `linear`: every invocation has a tile of its own and loads what it needs.
    Own,
    /// `linear`: so, but the invocations of a subgroup load x for each other.
    Broadcast,
    /// `linear_across`: the invocations of a workgroup share one tile and lie along its rows.
    Across,
    /// The same, adding up by subgroups.
    AcrossSubgroups,
    /// `linear_shared`: the invocations of a workgroup load into shared memory.
    Shared,
    /// `linear_matrix`: so, too, and matrix units multiply, see [`crate::gpu::matrix`].
    Matrix(Unit),
}

/// What one invocation or workgroup computes, and how it loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tile {
    /// The kernel.
    pub method: Method,
    /// Invocations of a workgroup. With [`Method::Broadcast`] those of a subgroup, with [`Method::Shared`] 64, with
    /// [`Method::Matrix`] those of four subgroups.
    pub lanes: u32,
    /// Groups of rows.
    pub groups: u32,
    /// Rows of a group. More than one only with [`Method::Broadcast`], which then needs a lane for each row and plane.
    pub per: u32,
    /// Fours of columns, of an invocation with [`Method::Own`] and [`Method::Broadcast`], or else of a workgroup. Only 1 for
    /// [`Method::Shared`].
    pub quads: u32,
    /// Whether bytes are loaded by eight.
    pub words64: bool,
}

impl Tile {
    /// A tile that every device can compute.
    const fn plain(method: Method, lanes: u32, rows: u32, quads: u32) -> Self {
        Self { method, lanes, groups: rows, per: 1, quads, words64: false }
    }

    /// The tiles of matrix units, the largest first: as many rows of bytes as columns.
    #[must_use]
    pub fn matrices(matrix: Matrix, planes: u32) -> Vec<Self> {
        // Few invocations would have a large tile's sums in more registers than there are.
        let spans: &[u32] = if matrix.subgroup >= 16 { &[64, 32] } else { &[32] };
        let tile =
            |&span| Self::plain(Method::Matrix(matrix.unit), SUBGROUPS * matrix.subgroup, span / planes, span / 4);
        spans.iter().map(tile).collect()
    }

    /// The shader.
    pub(super) const fn shader(self) -> &'static str {
        match self.method {
            Method::Own | Method::Broadcast => "linear",
            Method::Across | Method::AcrossSubgroups => "linear_across",
            Method::Shared => "linear_shared",
            Method::Matrix(_) => "linear_matrix",
        }
    }

    /// Rows that a workgroup computes.
    pub(in crate::kernels) const fn rows(self) -> usize {
        let rows = (self.groups * self.per) as usize;
        if matches!(self.method, Method::Shared) { 8 * rows } else { rows }
    }

    /// Columns that a workgroup computes.
    pub(super) const fn columns(self) -> usize {
        match self.method {
            Method::Own | Method::Broadcast => (4 * self.quads * self.lanes) as usize,
            Method::Across | Method::AcrossSubgroups | Method::Matrix(_) => (4 * self.quads) as usize,
            Method::Shared => 32,
        }
    }

    /// The same for a kernel that computes pairs of fours of columns, see [`Tile::pairs`]; `None` where there is none.
    pub(in crate::kernels) fn paired(self, planes: u32) -> Option<Self> {
        match self.method {
            Method::Own | Method::Broadcast => Some(Self { quads: 2, ..self }),
            // Shared memory holds half as many rows.
            Method::Across | Method::AcrossSubgroups => {
                Some(Self { quads: 2 * self.quads, groups: self.groups.min(4 / planes), ..self })
            }
            Method::Shared | Method::Matrix(_) => None,
        }
    }

    /// Pairs of fours of columns that a workgroup computes.
    pub(in crate::kernels) const fn pairs(self) -> usize {
        match self.method {
            Method::Own | Method::Broadcast => self.lanes as usize,
            Method::Across | Method::AcrossSubgroups => (self.quads / 2) as usize,
            Method::Shared | Method::Matrix(_) => 1,
        }
    }

    /// Whether its kernel can normalise x for itself: not where it loads x by eight bytes, or in parts.
    pub(in crate::kernels) const fn takes_norm(self) -> bool {
        !(matches!(self.method, Method::Shared | Method::Matrix(_)) || self.words64 && self.groups > 1)
    }

    /// Bytes of memory that a workgroup shares to add up its sums.
    pub(in crate::kernels) const fn shared_bytes(self, planes: u32) -> usize {
        match self.method {
            Method::Own | Method::Broadcast | Method::Shared | Method::Matrix(_) => 0,
            Method::Across | Method::AcrossSubgroups => (16 * self.lanes * self.groups * self.quads * planes) as usize,
        }
    }

    /// `key` with what this tile asks of the shader.
    pub(in crate::kernels) fn key(self, mut key: Key, planes: u32) -> Key {
        if let Method::Matrix(unit) = self.method {
            return self.matrix_key(unit, key, planes);
        }
        key = match self.method {
            Method::Broadcast => key.with("BROADCAST"),
            Method::AcrossSubgroups => key.with("SUBGROUP"),
            Method::Own | Method::Across | Method::Shared | Method::Matrix(_) => key,
        };
        key = match (self.words64, self.groups) {
            (true, 2..) => key.with("SHORT"),
            (true, _) => key.with("WORDS64"),
            (false, _) => key,
        };
        key = key.size("GROUPS", self.groups);
        key = match self.shader() {
            "linear" => key.size("PER", self.per).size("QUADS", self.quads),
            "linear_across" => {
                let quads = if key.features.contains(&"PAIRED") { 2 } else { 1 };
                key.size("QUADS", quads).size("SPANS", self.quads / quads)
            }
            _ => key,
        };
        key.size("PLANES", planes).constant("LANES", self.lanes)
    }

    fn matrix_key(self, unit: Unit, key: Key, planes: u32) -> Key {
        let key = if unit.half() { key.with("HALF") } else { key };
        let (side, lanes, span) = (unit.side(), self.lanes, 4 * self.quads);
        // As many as shared memory holds.
        let vectors = if span == 64 && !unit.half() { 1 } else { 2 };
        key.size("SIDE", side)
            .size("DOWN", 16 / side)
            .size("BLOCKS", span / 32)
            .size("VECTORS", vectors)
            .size("LOADS", 2 * span * vectors / lanes)
            .size("PAIRS", 32 * SUBGROUPS / lanes)
            .size("PLANES", planes)
            .constant("LANES", lanes)
    }

    /// The tile that is taken where nothing was measured, for a product over so many rows whose x has `planes` rows of
    /// bytes for each.
    pub(super) fn usual(tuning: &Tuning, rows: usize, planes: u32) -> Self {
        let rows = u32::try_from(rows).unwrap_or(1 << 30);
        if let Some(matrix) = tuning.matrix {
            // Less than half full, matrix units have no advantage.
            let full = |tile: &Self| rows > tile.groups / 2;
            if let Some(tile) = Self::matrices(matrix, planes).into_iter().find(full) {
                return tile;
            }
        }
        Self::by_words(tuning, rows, planes)
    }

    /// The same without matrix units.
    fn by_words(tuning: &Tuning, rows: u32, planes: u32) -> Self {
        if tuning.subgroup >= 4 {
            let per = rows.next_power_of_two().min(tuning.subgroup / planes);
            let method = if per * planes > 1 { Method::Broadcast } else { Method::Own };
            // Twice as many rows halve the loads of weights, if the code does not grow too large for its cache.
            let groups = if tuning.words64 && rows > per { 2 } else { 1 };
            // Sums of two kinds for several rows leave no registers for more columns.
            let quads = if per > 1 && planes > 1 && groups == 1 { 1 } else { 2 };
            return Self { per, words64: tuning.words64, ..Self::plain(method, tuning.subgroup, groups, quads) };
        }
        let few = rows.next_power_of_two();
        match tuning.few_rows {
            Some(method) if few <= 8 => Self::plain(method, tuning.linear_lanes, few.min(8 / planes), 1),
            Some(_) => Self::plain(Method::Shared, 64, 4 / planes, 1),
            None if rows as usize <= tuning.single_rows => Self::plain(Method::Own, tuning.linear_lanes, 1, 1),
            None => Self::plain(Method::Own, tuning.linear_lanes, 8 / planes, 1),
        }
    }

    /// The tiles worth measuring on a device, the usual one first.
    #[must_use]
    pub fn candidates(caps: &Caps, tuning: &Tuning, rows: usize, planes: u32) -> Vec<Self> {
        let few = u32::try_from(rows).unwrap_or(1 << 30).next_power_of_two();
        let usual = Self::by_words(tuning, u32::try_from(rows).unwrap_or(1 << 30), planes);
        let mut all = vec![Self::usual(tuning, rows, planes), usual];
        if tuning.subgroup >= 4 || tuning.few_rows.is_none() {
            let groups = if usual.groups == 1 { 1..=1 } else { 1..=2 };
            all.extend(groups.flat_map(|groups| [1, 2].map(|quads| Self { groups, quads, ..usual })));
        } else if few <= 8 {
            for lanes in [32, 64, 128] {
                all.push(Self::plain(Method::Across, lanes, few.min(8 / planes), 1));
                if caps.uses(Switch::Subgroup) {
                    all.push(Self::plain(Method::AcrossSubgroups, lanes, few.min(8 / planes), 1));
                }
            }
        } else {
            all.push(Self::plain(Method::Shared, 64, 8 / planes, 1));
            all.push(Self::plain(Method::Own, 64, 8 / planes, 1));
        }
        if let (Ok(matrix), true) = (&caps.matrix, few > 8) {
            all.extend(Self::matrices(*matrix, planes));
        }
        Self::distinct(all)
    }

    /// Each tile once, in their order.
    fn distinct(tiles: Vec<Self>) -> Vec<Self> {
        let mut distinct = Vec::new();
        for tile in tiles {
            if !distinct.contains(&tile) {
                distinct.push(tile);
            }
        }
        distinct
    }

    /// The tiles worth measuring for a product that normalises its rows for itself, see [`crate::kernels::Chain`]: where a
    /// workgroup has more columns, fewer workgroups do so.
    #[must_use]
    pub fn normed_candidates(caps: &Caps, tuning: &Tuning, rows: usize, planes: u32) -> Vec<Self> {
        let usual = Self::usual(tuning, rows, planes);
        let mut all = vec![usual];
        // Drivers that compute on the processor are slow at what the others need memory shared for.
        if tuning.few_rows.is_some() {
            let across = if caps.uses(Switch::Subgroup) { Method::AcrossSubgroups } else { Method::Across };
            let few = u32::try_from(rows).unwrap_or(1 << 30).next_power_of_two().min(8 / planes);
            for (lanes, quads) in [(64, 1), (64, 2), (128, 1), (128, 2)] {
                all.push(Self::plain(across, lanes, few, quads));
            }
        }
        all.retain(|tile| tile.takes_norm());
        Self::distinct(all)
    }
}
