//! One operation at a time, on the device and on the processor: bytes compared first, then time taken.

mod case;
mod decoder;
mod encoder;

use std::error::Error;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use case::Case;
use provena_engine::backend::Backend;
use provena_engine::gpu::Gpu;
use provena_engine::kernels::name;
use provena_engine::plan::Buffer;
use provena_engine::recording::GpuModel;
use provena_engine::values::Values;

use crate::options::Options;
use crate::report::{Kernel, Speed};
use crate::timing::{busy, summarise};

const SAMPLES: usize = 9;
/// How long one sample should take, so that starting a submission does not count.
const SAMPLE: Duration = Duration::from_millis(20);

/// Measures every case.
pub(crate) fn measure(options: &Options, gpu: Option<&Gpu>) -> Result<Vec<Kernel>, Box<dyn Error>> {
    let cases = encoder::cases().into_iter().chain(decoder::cases());
    cases.map(|case| case.measure(options.samples(SAMPLES), gpu)).collect()
}

impl Case {
    fn measure(self, samples: usize, gpu: Option<&Gpu>) -> Result<Kernel, Box<dyn Error>> {
        let op = self.plan.ops.last().map_or("", name);
        let cpu = Backend::new(self.artifact.clone(), None)?;
        let plan = self.plan.clone().into();
        let buffers = self.state();
        let mut state = cpu.state(&buffers)?;
        let expected = cpu.execute(&plan, &self.inputs, &mut state)?;
        let device = gpu.map(|gpu| self.on_device(samples, gpu, &expected)).transpose()?;
        let micros = repeated(samples, |repeats| {
            let start = Instant::now();
            for _ in 0..repeats {
                cpu.execute(&plan, &self.inputs, &mut state)?;
            }
            Ok(start.elapsed())
        })?;
        let (label, device, busy_gops) = device.map_or((None, None, None), |(label, micros, busy)| {
            (Some(label), Some(self.speed(micros)), busy.map(|busy| self.speed(busy).gops))
        });
        Ok(Kernel { op, label, device, busy_gops, cpu: self.speed(micros), shape: self.shape })
    }

    /// The first kernel's label, the microseconds of all of them, and the processors' time that they took where the driver
    /// is software, after their outputs were found to be `expected`.
    fn on_device(
        &self,
        samples: usize,
        gpu: &Gpu,
        expected: &[Values],
    ) -> Result<(String, f64, Option<f64>), Box<dyn Error>> {
        let model = GpuModel::load(gpu, self.artifact.clone())?;
        let mut state = model.state(&self.state())?;
        if model.execute(&self.plan, &self.inputs, &mut state)? != expected {
            let op = self.plan.ops.last().map_or("", name);
            return Err(format!("{op}, {}: the device and the processor differ", self.shape).into());
        }
        let recorded = model.recorded(&self.plan)?;
        let recorded = recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let steps = 0..recorded.labels().len();
        let (mut times, before) = (0, busy());
        let micros = repeated(samples, |repeats| {
            times += repeats;
            Ok(recorded.time_with(&state, steps.clone(), repeats)?)
        })?;
        let software = gpu.caps().device_type == "software";
        let busy = busy().zip(before).filter(|_| software).map(|(after, before)| (after - before) / times as f64 * 1e6);
        let label = recorded.labels().first().map_or("", |label| label.trim_start_matches("provena.")).to_owned();
        Ok((label, micros, busy))
    }

    fn state(&self) -> Vec<Buffer> {
        self.plan.state.iter().map(|id| self.plan.get(*id).clone()).collect()
    }

    fn speed(&self, micros: f64) -> Speed {
        let per_second = |count: usize| count as f64 / micros / 1e3;
        Speed { micros, gops: per_second(self.operations), gbytes: per_second(self.bytes) }
    }
}

/// Microseconds of one of many: the least of several samples, each of as many repeats as take long enough. The peaks are
/// the least of several, too.
fn repeated(
    samples: usize,
    mut run: impl FnMut(usize) -> Result<Duration, Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let once = run(2)?.min(run(2)?) / 2;
    let repeats = (SAMPLE.as_nanos() / once.as_nanos().max(1)).clamp(1, 2_000) as usize;
    let runs = (0..samples).map(|_| run(repeats)).collect::<Result<Vec<_>, _>>()?;
    Ok(summarise(runs).best_millis * 1e3 / repeats as f64)
}
