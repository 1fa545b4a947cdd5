//! From operations to dispatches: which kernels an operation needs, on which operands, over which grid.
//!
//! One module per operation, named as its shader and its scalar twin in [`crate::reference`] are; `fused` makes one kernel
//! of two operations. Lowering touches no device; [`crate::recording`] turns the [`Dispatch`]es into bind groups once and
//! replays them.

mod argmax;
mod attention;
mod cached_attention;
mod embed;
mod flatten;
mod fused;
mod gate;
mod gather;
mod linear;
mod lookup;
mod max_pool;
mod norm;
mod patches;
mod rms_norm;
mod rotate_store;
mod sample;
pub mod self_test;
pub mod source;
mod sum_rows;
mod unit;

use std::collections::HashMap;
use std::ops::Range;

use crate::artifact::{Artifact, TensorRef};
use crate::gpu::{Error, Key, Matrix, Switch, caps};
use crate::plan::{Buffer, BufferId, Op, Plan, TensorId};
pub use fused::{Chain, End};
pub use linear::{Method, Shape, Tile};

/// What a kernel reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A buffer of the plan.
    Buffer(BufferId),
    /// A tensor of the artifact, which must fit one binding.
    Tensor(TensorId),
    /// A part of a tensor, by its place among [`shards`].
    Shard(TensorId, usize),
    /// Memory between the kernels of one operation, by its place in [`Lowered::scratch`].
    Scratch(usize),
}

/// One kernel over one grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The pipeline.
    pub key: Key,
    /// The shader's `Params`, field by field; bound at 0.
    pub params: Vec<u32>,
    /// The other bindings.
    pub bindings: Vec<(u32, Operand)>,
    /// Workgroups along x, y and z.
    pub grid: [u32; 3],
}

/// How kernels are shaped for a kind of device. No choice here can change an answer's bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Invocations that share one row in a reduction.
    pub reduce_lanes: u32,
    /// Invocations in a workgroup of a matrix product.
    pub linear_lanes: u32,
    /// Up to this many rows a matrix product keeps one row per invocation, and eight beyond.
    pub single_rows: usize,
    /// How matrix products over few rows are computed, where the invocations of a workgroup should share their loads.
    pub few_rows: Option<Method>,
    /// Invocations of a subgroup, where it pays that they load for each other; 0 for nowhere.
    pub subgroup: u32,
    /// Whether weights are loaded by eight bytes.
    pub words64: bool,
    /// Bytes of the largest binding; larger tensors are split by rows, see [`shards`].
    pub max_binding: u64,
    /// Whether attention to cached tokens takes two kernels without barriers instead of one with them.
    pub split_attention: bool,
    /// Up to this many rows a matrix product and the operation that reads it are one kernel, where they can be.
    pub fused_rows: usize,
    /// Up to this many rows a normalisation and the matrix product that reads it are one kernel, where they can be and
    /// nothing else was measured.
    pub normed_rows: usize,
    /// Storage buffers that a kernel may bind.
    pub storage_buffers: u32,
    /// Bytes of memory that a workgroup may share.
    pub workgroup_bytes: u32,
    /// The matrix units that products over many rows take, where nothing was measured.
    pub matrix: Option<Matrix>,
}

impl Tuning {
    /// For processors that run one subgroup after the other, where every barrier is a switch of context.
    pub const SOFTWARE: Self = Self {
        reduce_lanes: 8,
        linear_lanes: 32,
        single_rows: 2,
        few_rows: None,
        subgroup: 0,
        words64: false,
        max_binding: caps::MAX_BINDING_BYTES,
        split_attention: true,
        fused_rows: 2,
        normed_rows: 0,
        storage_buffers: caps::MAX_STORAGE_BUFFERS,
        workgroup_bytes: caps::MAX_WORKGROUP_BYTES,
        matrix: None,
    };
    /// For graphics processors, which hide latency behind many invocations.
    pub const HARDWARE: Self = Self {
        reduce_lanes: 64,
        linear_lanes: 64,
        single_rows: 4,
        few_rows: Some(Method::Across),
        subgroup: 0,
        words64: false,
        max_binding: caps::MAX_BINDING_BYTES,
        split_attention: false,
        fused_rows: 2,
        normed_rows: 2,
        storage_buffers: caps::MAX_STORAGE_BUFFERS,
        workgroup_bytes: caps::MAX_WORKGROUP_BYTES,
        matrix: None,
    };

    /// The tuning for an adapter.
    #[must_use]
    pub fn of(caps: &caps::Caps) -> Self {
        let mut tuning = if caps.is_software() {
            let subgroup = if caps.uses(Switch::Subgroup) { caps.subgroup.unwrap_or(0) } else { 0 };
            Self { subgroup, words64: caps.uses(Switch::Int64), ..Self::SOFTWARE }
        } else {
            let few_rows = if caps.uses(Switch::Subgroup) { Method::AcrossSubgroups } else { Method::Across };
            Self { few_rows: Some(few_rows), matrix: caps.matrix.as_ref().ok().copied(), ..Self::HARDWARE }
        };
        if !caps.uses(Switch::Fusion) {
            (tuning.fused_rows, tuning.normed_rows) = (0, 0);
        }
        let limits = &caps.limits;
        Self {
            storage_buffers: limits.max_storage_buffers_per_shader_stage,
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            ..tuning
        }
    }
}

/// Rows of a shard are a multiple of this, so that shards end where words of the output do.
const SHARD_ROWS: usize = 64;

/// The rows of each part that `tensor` is split into so that none has more than `max_binding` bytes: parts of equally
/// many rows, but for the last. `None` where not even few rows fit.
#[must_use]
pub fn shards(tensor: &TensorRef<'_>, max_binding: u64) -> Option<Vec<Range<usize>>> {
    let row = tensor.bytes.len() as u64 / tensor.rows.max(1) as u64;
    if tensor.bytes.len() as u64 <= max_binding {
        return Some(std::iter::once(0..tensor.rows).collect());
    }
    let rows = usize::try_from(max_binding / row.max(1)).ok()? / SHARD_ROWS * SHARD_ROWS;
    (rows > 0).then(|| (0..tensor.rows).step_by(rows).map(|start| start..tensor.rows.min(start + rows)).collect())
}

/// Turns of all its loops together that one invocation may make: Mesa's software driver leaves every loop after 65,535
/// of them, without a word, and the answer is wrong.
const MAX_TURNS: usize = 60_000;

/// What was measured to be quickest on a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The tile of a matrix product, which must be among [`Tile::candidates`].
    pub tiles: HashMap<Shape, Tile>,
    /// The tile of a product whose normalisation is in its kernel, or `None` where that does not pay.
    pub chains: HashMap<Chain, Option<Tile>>,
}

/// A plan as dispatches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    /// In the order of execution.
    pub dispatches: Vec<Dispatch>,
    /// Bytes of each scratch buffer.
    pub scratch: Vec<u64>,
}

/// Lowers every operation of `plan`, whose tensors are `artifact`'s.
///
/// # Errors
///
/// [`Error::Plan`] if shapes contradict each other or exceed what a dispatch can cover.
pub fn lower(plan: &Plan, artifact: &Artifact, tuning: Tuning) -> Result<Lowered, Error> {
    lower_with(plan, artifact, tuning, &Choices::default())
}

/// The same with what was measured.
///
/// # Errors
///
/// As [`lower`].
pub fn lower_with(plan: &Plan, artifact: &Artifact, tuning: Tuning, choices: &Choices) -> Result<Lowered, Error> {
    let (mentions, lowered) = (fused::mentions(plan), Lowered::default());
    let mut lowering = Lowering { plan, artifact, tuning, choices, mentions, lowered, scratch_used: 0 };
    let mut index = 0;
    while let Some(op) = plan.ops.get(index) {
        let wrong = |reason| Error::Plan { op: format!("operation {index} ({})", name(op)), reason };
        let fused = lowering.fused(&plan.ops[index..]).map_err(wrong)?;
        if fused == 0 {
            lowering.op(op).map_err(wrong)?;
        }
        index += fused.max(1);
    }
    Ok(lowering.lowered)
}

/// The operation's name, which its module, its scalar twin and its shaders share.
#[must_use]
pub fn name(op: &Op) -> &'static str {
    match op {
        Op::Embed { .. } => "embed",
        Op::Norm { .. } => "norm",
        Op::Linear { .. } => "linear",
        Op::Attention { .. } => "attention",
        Op::SumRows { .. } => "sum_rows",
        Op::Unit { .. } => "unit",
        Op::Argmax { .. } => "argmax",
        Op::Lookup { .. } => "lookup",
        Op::RmsNorm { .. } => "rms_norm",
        Op::RotateStore { .. } => "rotate_store",
        Op::CachedAttention { .. } => "cached_attention",
        Op::Gate { .. } => "gate",
        Op::Gather { .. } => "gather",
        Op::Sample { .. } => "sample",
        Op::Patches { .. } => "patches",
        Op::MaxPool { .. } => "max_pool",
        Op::Flatten { .. } => "flatten",
    }
}

/// The state of lowering; the modules of the operations add to it.
struct Lowering<'a> {
    plan: &'a Plan,
    artifact: &'a Artifact,
    tuning: Tuning,
    choices: &'a Choices,
    /// For each buffer how often the operations name it.
    mentions: Vec<usize>,
    lowered: Lowered,
    /// Scratch buffers that the present operation uses.
    scratch_used: usize,
}

impl Lowering<'_> {
    fn op(&mut self, op: &Op) -> Result<(), String> {
        self.scratch_used = 0;
        match *op {
            Op::Embed { ids, words, positions, out } => self.embed(ids, words, positions, out),
            Op::Norm { x, residual, gain, bias, out, quantised } => self.norm(x, residual, gain, bias, out, quantised),
            Op::Linear { x, weight, bias, output } => self.linear(x, weight, bias, output),
            Op::Attention { qkv, heads, score_scale, exp_table, context_scale, out } => {
                self.attention(qkv, heads, score_scale, exp_table, context_scale, out)
            }
            Op::SumRows { x, out } => self.sum_rows(x, out),
            Op::Unit { x, out } => self.unit(x, out),
            Op::Argmax { x, out } => self.argmax(x, out),
            Op::Lookup { rows, weight, scale, out } => self.lookup(rows, weight, scale, out),
            Op::RmsNorm { x, residual, gain, epsilon, sum, out } => {
                self.rms_norm(&rms_norm::Norm { x, residual, gain, epsilon, sum, out })
            }
            Op::RotateStore { qkv, rows, table, cache, queries } => self.rotate_store(qkv, rows, table, cache, queries),
            Op::CachedAttention {
                queries,
                rows,
                pages,
                cache,
                heads,
                window,
                score_scale,
                exp_table,
                context_scale,
                out,
            } => self.cached_attention(&cached_attention::CachedAttention {
                queries,
                rows,
                pages,
                cache,
                heads,
                window,
                score_scale,
                exp_table,
                context_scale,
                out,
            }),
            Op::Gate { x, table, out_scale, out } => self.gate(x, table, out_scale, out),
            Op::Gather { x, picks, out } => self.gather(x, picks, out),
            Op::Sample { logits, params, exp_table, out } => self.sample(logits, params, exp_table, out),
            Op::Patches { x, size, kernel, stride, pad, out } => {
                self.patches(x, patches::Layout { size, kernel, stride, pad }, out)
            }
            Op::MaxPool { x, size, kernel, out } => self.max_pool(x, size, kernel, out),
            Op::Flatten { x, out } => self.flatten(x, out),
        }
    }

    fn buffer(&self, id: BufferId) -> Result<&Buffer, String> {
        self.plan.buffers.get(id.0 as usize).ok_or_else(|| format!("there is no buffer {}", id.0))
    }

    fn tensor(&self, id: TensorId) -> Result<TensorRef<'_>, String> {
        if id.0 as usize >= self.artifact.tensor_count() {
            return Err(format!("there is no tensor {}", id.0));
        }
        Ok(self.artifact.tensor(id))
    }

    /// The rows of each part of a tensor, see [`shards`].
    fn shards(&self, id: TensorId) -> Result<Vec<Range<usize>>, String> {
        let tensor = self.tensor(id)?;
        shards(&tensor, self.tuning.max_binding).ok_or_else(|| format!("a row of {} is too long", tensor.name))
    }

    /// Asks for scratch memory that lasts until the operation ends; the next operation uses it again.
    fn scratch(&mut self, bytes: u64) -> Operand {
        let slot = self.scratch_used;
        self.scratch_used += 1;
        match self.lowered.scratch.get_mut(slot) {
            Some(size) => *size = bytes.max(*size),
            None => self.lowered.scratch.push(bytes),
        }
        Operand::Scratch(slot)
    }

    /// Adds a dispatch whose grid is given in workgroups. An empty grid adds nothing.
    fn dispatch(
        &mut self,
        key: Key,
        params: &[u32],
        bindings: &[(u32, Operand)],
        grid: [usize; 3],
    ) -> Result<(), String> {
        if grid.contains(&0) {
            return Ok(());
        }
        for (_, operand) in bindings {
            if let Operand::Tensor(id) = *operand
                && self.shards(id)?.len() > 1
            {
                return Err(format!("{} is too large for it", self.tensor(id)?.name));
            }
        }
        let mut groups = [0; 3];
        for (group, wanted) in groups.iter_mut().zip(grid) {
            *group = u32::try_from(wanted)
                .ok()
                .filter(|&wanted| wanted <= caps::MAX_WORKGROUPS)
                .ok_or_else(|| format!("{wanted} workgroups along one side; at most {} fit", caps::MAX_WORKGROUPS))?;
        }
        let dispatch = Dispatch { key, params: params.to_vec(), bindings: bindings.to_vec(), grid: groups };
        self.lowered.dispatches.push(dispatch);
        Ok(())
    }
}

/// A size as a shader's `u32`.
fn word(size: usize) -> Result<u32, String> {
    u32::try_from(size).map_err(|_| format!("{size} does not fit 32 bits"))
}

/// Fails unless the two sizes are equal.
fn same(what: &str, left: usize, right: usize) -> Result<(), String> {
    if left == right { Ok(()) } else { Err(format!("{what}: {left} and {right} differ")) }
}
