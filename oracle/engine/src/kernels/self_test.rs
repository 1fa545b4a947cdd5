//! Known answers: every kernel against its scalar twin, before an adapter may sign anything.
//!
//! The test runs a few small plans that between them use every kernel in every variant, on fixed data with awkward
//! shapes, and compares every buffer. Drivers differ and have bugs; a node that finds one must not answer.

pub(crate) mod fixture;
mod matrix;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use self::fixture::{Case, Fixture};
pub use self::matrix::prove;
use crate::artifact::Artifact;
use crate::gpu::{Error, Gpu};
use crate::kernels::{self, Choices, Shape, Tile};
use crate::plan::{Buffer, BufferId, Op, Plan};
use crate::recording::GpuModel;
use crate::reference;
use crate::values::Values;

/// Runs every kernel on known answers and returns the labels of the kernels that were right.
///
/// # Errors
///
/// [`Error::Mismatch`] names the first operation whose result differs; other errors say that the device failed.
pub fn run(gpu: &Gpu) -> Result<Vec<String>, Error> {
    let fixture = Fixture::new()
        .map_err(|error| Error::Plan { op: "the self test's artifact".into(), reason: error.to_string() })?;
    let artifact = Arc::new(fixture.artifact);
    let usual = kernels::Tuning::of(gpu.caps());
    // Long contexts may take the other way than short ones do.
    let other = kernels::Tuning { split_attention: !usual.split_attention, ..usual };
    // What is measured may put normalisations into the products' kernels, or leave them out.
    let normed_rows = if usual.normed_rows == 0 { usual.fused_rows } else { 0 };
    let normed = kernels::Tuning { normed_rows, ..usual };
    let mut labels = BTreeSet::new();
    for tuning in [usual, other, normed] {
        let model = GpuModel::load_tuned(gpu, artifact.clone(), tuning)?;
        for Case { plan, inputs, state } in &fixture.cases {
            // As it is executed, and with every buffer watched, so that no two operations are one kernel.
            let kept = plan.outputs.iter().chain(&plan.state).copied().collect::<Vec<_>>();
            for watched in [kept, plan.ops.iter().flat_map(written).collect()] {
                let plan = watching(plan, watched.into_iter());
                let lowered = kernels::lower(&plan, model.artifact(), tuning)?;
                let kernels: BTreeSet<String> = lowered.dispatches.iter().map(|d| d.key.to_string()).collect();
                if !kernels.is_subset(&labels) {
                    compare_watched(&model, &plan, inputs, state)?;
                    labels.extend(kernels);
                }
            }
        }
    }
    // Products may take matrix units, where these are exact.
    if let Ok(matrix) = &gpu.caps().matrix {
        for place in 0..Tile::matrices(*matrix, 1).len() {
            let tile = |shape: Shape| (shape, Tile::matrices(*matrix, shape.planes)[place]);
            let shapes = fixture.cases.iter().flat_map(|case| products(&case.plan, &artifact));
            let choices = Choices { tiles: shapes.map(tile).collect(), ..Choices::default() };
            let model = GpuModel::load_tuned(gpu, artifact.clone(), usual)?.with_choices(choices.clone());
            for Case { plan, inputs, state } in &fixture.cases {
                let watched = watching(plan, plan.ops.iter().flat_map(written));
                let lowered = kernels::lower_with(&watched, &artifact, usual, &choices)?;
                let kernels: BTreeSet<String> = lowered.dispatches.iter().map(|d| d.key.to_string()).collect();
                if !kernels.is_subset(&labels) {
                    compare_watched(&model, &watched, inputs, state)?;
                    labels.extend(kernels);
                }
            }
        }
    }
    Ok(labels.into_iter().collect())
}

/// The shapes of a plan's matrix products.
fn products(plan: &Plan, artifact: &Artifact) -> Vec<Shape> {
    let shape = |op: &Op| match *op {
        Op::Linear { x, weight, .. } => Shape::of(plan.get(x), artifact, weight),
        _ => None,
    };
    plan.ops.iter().filter_map(shape).collect()
}

/// Runs `plan` on the device and on the reference and compares every buffer that an operation writes, the state
/// included, in the order of execution. `state` is what the plan's state holds before. Returns the number of elements
/// that were compared.
///
/// A buffer that is compared is written, so that no two operations are one kernel: see [`compare_outputs`].
///
/// # Errors
///
/// [`Error::Mismatch`] names the first operation whose result differs; other errors say that the device failed.
pub fn compare(model: &GpuModel, plan: &Plan, inputs: &[Values], state: &[Values]) -> Result<usize, Error> {
    compare_watched(model, &watching(plan, plan.ops.iter().flat_map(written)), inputs, state)
}

/// The same for the plan as it is executed: compares its outputs and its state alone.
///
/// # Errors
///
/// As [`compare`].
pub fn compare_outputs(model: &GpuModel, plan: &Plan, inputs: &[Values], state: &[Values]) -> Result<usize, Error> {
    let kept = plan.outputs.iter().chain(&plan.state).copied();
    compare_watched(model, &watching(plan, kept), inputs, state)
}

/// The plan with these buffers as outputs.
fn watching(plan: &Plan, outputs: impl Iterator<Item = BufferId>) -> Plan {
    let mut outputs: Vec<BufferId> = outputs.collect();
    outputs.sort_unstable();
    outputs.dedup();
    Plan { outputs, ..plan.clone() }
}

/// Compares the plan's outputs.
fn compare_watched(model: &GpuModel, plan: &Plan, inputs: &[Values], state: &[Values]) -> Result<usize, Error> {
    let mut after = state.to_vec();
    let mut expected = reference::execute(model.artifact(), plan, inputs, &mut after);
    for (id, values) in plan.state.iter().zip(after) {
        expected[id.0 as usize] = values;
    }
    let buffers: Vec<Buffer> = plan.state.iter().map(|&id| plan.get(id).clone()).collect();
    let mut on_device = model.state(&buffers)?;
    model.write_state(&mut on_device, state)?;
    let outputs = model.execute(plan, inputs, &mut on_device)?;
    let found: HashMap<BufferId, &Values> = plan.outputs.iter().copied().zip(&outputs).collect();
    let mut compared = 0;
    for (index, op) in plan.ops.iter().enumerate() {
        for id in written(op) {
            let Some(found) = found.get(&id) else { continue };
            if let Some((at, expected, found)) = first_difference(&expected[id.0 as usize], found) {
                return Err(Error::Mismatch {
                    op: format!("{} (operation {index})", kernels::name(op)),
                    adapter: model.gpu().caps().name.clone(),
                    buffer: plan.get(id).name.clone(),
                    at,
                    expected,
                    found,
                });
            }
            compared += plan.get(id).len();
        }
    }
    Ok(compared)
}

/// The buffers that an operation writes.
pub(crate) fn written(op: &Op) -> Vec<BufferId> {
    match op {
        Op::Norm { out, quantised, .. } => {
            [Some(*out), quantised.map(|quantise| quantise.out)].into_iter().flatten().collect()
        }
        Op::RmsNorm { out, sum, .. } => [Some(*out), *sum].into_iter().flatten().collect(),
        Op::RotateStore { cache, queries, .. } => vec![*queries, cache.keys, cache.values],
        Op::Linear { output, .. } => vec![output.out()],
        Op::Embed { out, .. }
        | Op::Attention { out, .. }
        | Op::SumRows { out, .. }
        | Op::Unit { out, .. }
        | Op::Lookup { out, .. }
        | Op::CachedAttention { out, .. }
        | Op::Gate { out, .. }
        | Op::Gather { out, .. }
        | Op::Sample { out, .. }
        | Op::Patches { out, .. }
        | Op::MaxPool { out, .. }
        | Op::Flatten { out, .. }
        | Op::Argmax { out, .. } => vec![*out],
    }
}

/// Place, expected and found element of the first difference.
pub(crate) fn first_difference(expected: &Values, found: &Values) -> Option<(usize, i64, i64)> {
    if expected == found {
        return None;
    }
    let wide = |values: &Values| -> Vec<i64> {
        match values {
            Values::I8(values) => values.iter().map(|&value| value.into()).collect(),
            Values::I32(values) => values.iter().map(|&value| value.into()).collect(),
            Values::U32(values) => values.iter().map(|&value| value.into()).collect(),
        }
    };
    let (expected, found) = (wide(expected), wide(found));
    let at = expected.iter().zip(&found).position(|(expected, found)| expected != found)?;
    Some((at, expected[at], found[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_found_where_it_is() {
        let expected = Values::I32(vec![1, -2, 3]);
        assert_eq!(first_difference(&expected, &expected.clone()), None);
        assert_eq!(first_difference(&expected, &Values::I32(vec![1, 2, 4])), Some((1, -2, 2)));
    }

    #[test]
    fn the_cases_use_every_operation() {
        let fixture = Fixture::new().unwrap();
        let mut names: Vec<&str> =
            fixture.cases.iter().flat_map(|case| case.plan.ops.iter().map(kernels::name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(
            names,
            [
                "argmax",
                "attention",
                "cached_attention",
                "embed",
                "flatten",
                "gate",
                "gather",
                "linear",
                "lookup",
                "max_pool",
                "norm",
                "patches",
                "rms_norm",
                "rotate_store",
                "sample",
                "sum_rows",
                "unit",
            ]
        );
    }
}
