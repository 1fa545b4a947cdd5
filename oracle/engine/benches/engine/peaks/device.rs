//! What the adapter can do at all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use provena_engine::gpu::pool::Lease;
use provena_engine::gpu::{Error, Gpu, Key};

use super::Peak;
use crate::timing::busy;

/// Bytes that one copy moves: more than any cache holds.
const COPY_BYTES: u64 = 64 << 20;
/// Rounds of the dot product probes, each of 64 packed products, so 512 operations.
const DOT_ROUNDS: u32 = 400;
/// How long one submission should take, so that starting it does not count.
const SUBMISSION: Duration = Duration::from_millis(20);
const RUNS: u32 = 7;

/// Measures packed dot products and a copy.
pub(crate) fn measure(gpu: &Gpu) -> Result<Peak, Error> {
    let copy = Probe::new(gpu, &Key::plain("probe_copy"), &[COPY_BYTES, COPY_BYTES], None)?;
    let (copy, _) = copy.seconds((COPY_BYTES / 16 / 128) as u32)?;
    // A software driver is busy with few invocations; a graphics processor hides latency behind many.
    let software = gpu.caps().device_type == "software";
    let invocations: u64 = if software { 1 << 14 } else { 1 << 19 };
    let dot = |key: Key| {
        let probe = Probe::new(gpu, &key, &[invocations * 4], Some([DOT_ROUNDS, 12_345]))?;
        let operations = invocations as f64 * f64::from(DOT_ROUNDS) * 512.0;
        let (wall, busy) = probe.seconds((invocations / 64) as u32)?;
        Ok::<_, Error>((operations / wall / 1e9, busy.map(|busy| operations / busy / 1e9)))
    };
    let (gops, busy_gops) = dot(Key::plain("probe_tile").size("STEPS", 4))?;
    Ok(Peak {
        gops,
        shared_gops: Some(dot(Key::plain("probe_dot"))?.0),
        busy_gops: busy_gops.filter(|_| software),
        copy_gbytes: 2.0 * COPY_BYTES as f64 / copy / 1e9,
        dot: "dot4I8Packed",
    })
}

/// A pipeline with its buffers.
struct Probe<'a> {
    gpu: &'a Gpu,
    pipeline: Arc<wgpu::ComputePipeline>,
    bind_group: wgpu::BindGroup,
    #[expect(dead_code, reason = "kept for as long as the bind group refers to them")]
    leases: Vec<Lease>,
}

impl<'a> Probe<'a> {
    /// Buffers of these sizes, bound after the parameters where there are any.
    fn new(gpu: &'a Gpu, key: &Key, sizes: &[u64], params: Option<[u32; 2]>) -> Result<Self, Error> {
        let pipeline = gpu.pipelines().get(key)?;
        let leases = sizes.iter().map(|&bytes| gpu.pool().lease("probe", bytes)).collect::<Result<Vec<_>, _>>()?;
        let uniform = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("provena.probe"),
            size: 16,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut entries = Vec::new();
        if let Some(params) = params {
            gpu.queue().write_buffer(&uniform, 0, bytemuck::cast_slice(&params));
            entries.push(wgpu::BindGroupEntry { binding: 0, resource: uniform.as_entire_binding() });
        }
        for lease in &leases {
            let binding = entries.len() as u32;
            entries.push(wgpu::BindGroupEntry { binding, resource: lease.buffer().as_entire_binding() });
        }
        let bind_group = gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("provena.probe"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Ok(Self { gpu, pipeline, bind_group, leases })
    }

    /// The least time of one dispatch of so many workgroups, since a peak is what the machine can do undisturbed, and the
    /// processors' time that it took.
    fn seconds(&self, groups: u32) -> Result<(f64, Option<f64>), Error> {
        self.run(groups, 1)?;
        let once = self.run(groups, 1)?;
        let repeats = (SUBMISSION.as_nanos() / once.as_nanos().max(1)).clamp(1, 1_000) as u32;
        let (mut least, before) = (Duration::MAX, busy());
        for _ in 0..RUNS {
            least = least.min(self.run(groups, repeats)?);
        }
        let busy = busy().zip(before).map(|(after, before)| (after - before) / f64::from(RUNS * repeats));
        Ok((least.as_secs_f64() / f64::from(repeats), busy))
    }

    fn run(&self, groups: u32, repeats: u32) -> Result<Duration, Error> {
        let mut encoder = self.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.bind_group, &[]);
            for _ in 0..repeats {
                pass.dispatch_workgroups(groups, 1, 1);
            }
        }
        let start = Instant::now();
        self.gpu.queue().submit([encoder.finish()]);
        let wait = self.gpu.device().poll(wgpu::PollType::wait_indefinitely());
        wait.map(|_| start.elapsed()).map_err(|error| Error::Lost(error.to_string()))
    }
}
