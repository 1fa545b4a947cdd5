//! The self test that an adapter must pass before anything is loaded on it.

use std::time::Instant;

use provena_arith::fixed::known;
use serde::Serialize;

use super::AdapterInfo;
use crate::{
    cpu::{self, Level},
    error::Error,
    gpu::Gpu,
    kernels,
};

/// What a self test looked at.
#[derive(Clone, Debug, Serialize)]
pub struct SelfTestReport {
    /// Name of the adapter.
    pub adapter: String,
    /// "wgpu" or "cpu".
    pub backend: &'static str,
    /// What was checked and found right: scalar functions, then kernels.
    pub checks: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// Checks the scalar functions against the answers in `docs/INT_V1.md`, then every kernel, or every operation of the CPU backend,
/// against the reference.
pub(super) fn run(info: &AdapterInfo, gpu: Option<&Gpu>, level: Level) -> Result<SelfTestReport, Error> {
    let start = Instant::now();
    let mut checks = Vec::new();
    for answer in known::answers() {
        if answer.found != answer.expected {
            return Err(Error::SelfTest { adapter: info.name.clone(), check: answer.call.into() });
        }
        checks.push(answer.call.into());
    }
    checks.extend(match gpu {
        Some(gpu) => kernels::self_test::run(gpu)?,
        None => cpu::self_test::run(&info.name, level)?,
    });
    Ok(SelfTestReport {
        adapter: info.name.clone(),
        backend: info.backend,
        checks,
        seconds: start.elapsed().as_secs_f64(),
    })
}
