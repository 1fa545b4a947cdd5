//! Known answers: every operation against its scalar twin, before anything is loaded.
//!
//! The plans are those that an adapter must pass. Compilers have bugs, too: the tests of this backend found one.

use std::sync::Arc;

use super::{CpuModel, Level};
use crate::{
    error::Error,
    kernels::{
        name,
        self_test::fixture::{Case, Fixture},
    },
    plan::BufferId,
    reference,
};

/// Executes every operation with one thread and with several, and returns the names of the operations that were right.
/// The error names the first that was not, with its buffer.
///
/// # Errors
/// [`Error::Cpu`] when no threads can be started, [`Error::SelfTest`] when a result differs.
pub fn run(adapter: &str, level: Level) -> Result<Vec<String>, Error> {
    let fixture = Fixture::new()?;
    let artifact = Arc::new(fixture.artifact);
    let mut names = Vec::new();
    for threads in [1, 3] {
        let model = CpuModel::with(artifact.clone(), level, threads)?;
        for Case { plan, inputs, state } in &fixture.cases {
            let mut all = plan.clone();
            all.outputs = (0..).map(BufferId).take(plan.buffers.len()).filter(|id| !plan.state.contains(id)).collect();
            let (mut expected_state, mut found_state) = (state.clone(), state.clone());
            let expected = reference::execute(&artifact, &all, inputs, &mut expected_state);
            let found = model.execute(&all, inputs, &mut found_state)?;
            let outputs = all.outputs.iter().map(|id| (*id, &expected[id.0 as usize])).zip(&found);
            let states = plan.state.iter().copied().zip(&expected_state).zip(&found_state);
            for ((id, expected), found) in outputs.chain(states) {
                if expected != found {
                    let check = format!("{} at level {} with {threads} threads", plan.get(id).name, level.name());
                    return Err(Error::SelfTest { adapter: adapter.into(), check });
                }
            }
            names.extend(plan.ops.iter().map(|op| format!("{}.{}", level.name(), name(op))));
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_of_this_processor_passes_with_every_operation() {
        for level in Level::available() {
            let names = run("cpu", level).unwrap();
            for op in ["attention", "cached_attention", "gate", "linear", "max_pool", "norm", "rotate_store", "sample"]
            {
                assert!(names.contains(&format!("{}.{op}", level.name())), "{op} is missing: {names:?}");
            }
        }
    }
}
