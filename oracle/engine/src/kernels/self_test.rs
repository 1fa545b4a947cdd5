//! Known answers: every kernel against its scalar twin, before an adapter may sign anything.
//!
//! The test runs two small plans that between them use every kernel in every variant, on fixed data with awkward
//! shapes, and compares every buffer. Drivers differ and have bugs; a node that finds one must not answer.

mod fixture;

use std::sync::Arc;

use crate::gpu::{Error, Gpu};
use crate::kernels;
use crate::plan::{BufferId, LinearOutput, Op, Plan};
use crate::recording::GpuModel;
use crate::reference;
use crate::values::Values;

/// Runs every kernel on known answers and returns the labels of the kernels that were right.
///
/// # Errors
///
/// [`Error::Mismatch`] names the first operation whose result differs; other errors say that the device failed.
pub fn run(gpu: &Gpu) -> Result<Vec<String>, Error> {
    let fixture = fixture::Fixture::new()
        .map_err(|error| Error::Plan { op: "the self test's artifact".into(), reason: error.to_string() })?;
    let artifact = Arc::new(fixture.artifact);
    let model = GpuModel::load(gpu, artifact)?;
    let mut labels = Vec::new();
    for (plan, input) in &fixture.cases {
        compare(&model, plan, std::slice::from_ref(input))?;
        let lowered = kernels::lower(plan, model.artifact(), kernels::Tuning::of(gpu.caps()))?;
        labels.extend(lowered.dispatches.iter().map(|dispatch| dispatch.key.to_string()));
    }
    labels.sort();
    labels.dedup();
    Ok(labels)
}

/// Runs `plan` on the device and on the reference and compares every buffer, in the order of execution.
///
/// # Errors
///
/// [`Error::Mismatch`] names the first operation whose result differs; other errors say that the device failed.
pub fn compare(model: &GpuModel, plan: &Plan, inputs: &[Values]) -> Result<(), Error> {
    let mut all = plan.clone();
    all.outputs = (0..).map(BufferId).take(plan.buffers.len()).collect();
    let expected = reference::execute(model.artifact(), &all, inputs, &mut []);
    let found = model.execute(&all, inputs, &mut model.state(&[])?)?;
    for (index, op) in plan.ops.iter().enumerate() {
        for id in written(op) {
            let place = id.0 as usize;
            if let Some((at, expected, found)) = first_difference(&expected[place], &found[place]) {
                return Err(Error::Mismatch {
                    op: format!("{} (operation {index})", kernels::name(op)),
                    adapter: model.gpu().caps().name.clone(),
                    buffer: plan.get(id).name.clone(),
                    at,
                    expected,
                    found,
                });
            }
        }
    }
    Ok(())
}

/// The buffers that an operation writes.
fn written(op: &Op) -> Vec<BufferId> {
    match op {
        Op::Norm { out, quantised, .. } => {
            [Some(*out), quantised.map(|quantise| quantise.out)].into_iter().flatten().collect()
        }
        Op::Linear { output, .. } => match output {
            LinearOutput::Raw { out }
            | LinearOutput::Int8 { out, .. }
            | LinearOutput::Int16 { out, .. }
            | LinearOutput::Wide { out, .. }
            | LinearOutput::Table { out, .. } => vec![*out],
        },
        Op::RmsNorm { sum, out, .. } => sum.iter().copied().chain([*out]).collect(),
        Op::RotateStore { cache, queries, .. } => vec![cache.keys, cache.values, *queries],
        Op::Embed { out, .. }
        | Op::Lookup { out, .. }
        | Op::CachedAttention { out, .. }
        | Op::Gate { out, .. }
        | Op::Gather { out, .. }
        | Op::Sample { out, .. }
        | Op::Patches { out, .. }
        | Op::MaxPool { out, .. }
        | Op::Flatten { out, .. }
        | Op::Attention { out, .. }
        | Op::SumRows { out, .. }
        | Op::Unit { out, .. }
        | Op::Argmax { out, .. } => vec![*out],
    }
}

/// Place, expected and found element of the first difference.
fn first_difference(expected: &Values, found: &Values) -> Option<(usize, i64, i64)> {
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
        let fixture = fixture::Fixture::new().unwrap();
        let mut names: Vec<&str> =
            fixture.cases.iter().flat_map(|(plan, _)| plan.ops.iter().map(kernels::name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, ["argmax", "attention", "embed", "linear", "norm", "sum_rows", "unit"]);
    }
}
