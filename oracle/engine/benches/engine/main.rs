//! `cargo bench -p provena-engine --bench engine [-- --json | --limits | --quick | NAMES]`: what kernels and models
//! take on the best adapter and on the processor, beside what the machine can do at all and beside candle.
//!
//! The names choose among `start`, `kernels` and the models; with none everything is measured.

mod chat;
mod decoders;
mod kernels;
mod limits;
mod options;
mod peaks;
mod report;
mod requests;
mod timing;
#[path = "../../tests/it/tiny_llama.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod tiny_llama;
mod yardstick;

use std::error::Error;

use options::Options;
use provena_engine::gpu::{self, Gpu, Selection};

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::read()?;
    if options.limits {
        options.only = vec!["digits".into(), "minilm".into()];
        let engines = requests::Engines::open()?;
        return limits::check(&requests::measure(&options, &engines)?);
    }
    // Before anything else warms the driver's caches.
    let start = requests::start(&options)?;
    let engines = requests::Engines::open()?;
    let gpu = match Gpu::open(&Selection::Best) {
        Ok(gpu) => Some(gpu),
        Err(gpu::Error::NoAdapter) => None,
        Err(error) => return Err(error.into()),
    };
    let peaks =
        || Ok::<_, Box<dyn Error>>((peaks::host::measure(), gpu.as_ref().map(peaks::device::measure).transpose()?));
    let before = peaks()?;
    let kernels = if options.wants("kernels") { kernels::measure(&options, gpu.as_ref())? } else { vec![] };
    let answers = requests::measure(&options, &engines)?;
    let decoders = decoders::measure(&options, gpu.as_ref())?;
    let chat = chat::measure(&options, &engines)?;
    // Others may have disturbed the first measurement.
    let after = peaks()?;
    let report = report::Report {
        adapter: gpu.as_ref().map_or_else(|| "none".into(), |gpu| gpu.caps().name.clone()),
        driver: gpu.as_ref().map(|gpu| gpu.caps().driver.clone()),
        matrix: gpu.as_ref().map(|gpu| gpu.caps().matrix_units()),
        processor: report::processor(),
        threads: rayon::current_num_threads(),
        profile: if cfg!(debug_assertions) { "dev" } else { "release" },
        host: before.0.or(after.0),
        device: before.1.zip(after.1).map(|(before, after)| before.or(after)),
        kernels,
        answers,
        decoders,
        chat,
        start,
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    Ok(())
}
