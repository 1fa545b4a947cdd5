//! `cargo bench -p provena-engine --bench engine [-- --json | --limits]`: what the kernels and the models take on the best
//! adapter, beside the reference on the CPU and beside what the machine can do at all.

mod kernels;
mod limits;
mod models;
mod peaks;
mod report;
mod timing;

use std::error::Error;

use provena_engine::gpu::{Gpu, Selection};

fn main() -> Result<(), Box<dyn Error>> {
    let asked = |option| std::env::args().any(|argument| argument == option);
    if asked("--limits") {
        return limits::check(&models::measure()?.0);
    }
    let gpu = Gpu::open(&Selection::Best)?;
    // Before anything else warms the driver's caches.
    let (models, start) = models::measure()?;
    let report = report::Report {
        adapter: gpu.caps().name.clone(),
        driver: gpu.caps().driver.clone(),
        threads: std::thread::available_parallelism()?.get(),
        profile: if cfg!(debug_assertions) { "dev" } else { "release" },
        peaks: peaks::measure(&gpu)?,
        kernels: kernels::measure(&gpu)?,
        models,
        start,
    };
    if asked("--json") {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    Ok(())
}
