//! What the adapter can do at all.

use std::time::{Duration, Instant};

use provena_engine::gpu::{Error, Gpu, Key};

use super::Peak;

/// Bytes that one copy moves: more than any cache holds.
const COPY_BYTES: u64 = 64 << 20;
/// Invocations of the dot product probe.
const DOT_INVOCATIONS: u64 = 1 << 14;
/// Rounds of the dot product probe, each of 64 packed products, so 512 operations.
const DOT_ROUNDS: u32 = 400;
const RUNS: usize = 7;

/// Measures packed dot products and a copy.
pub fn measure(gpu: &Gpu) -> Result<Peak, Error> {
    let copy = probe(gpu, &Key::plain("probe_copy"), &[COPY_BYTES, COPY_BYTES], None, (COPY_BYTES / 16 / 128) as u32)?;
    let params = [DOT_ROUNDS, 12_345];
    let dot =
        probe(gpu, &Key::plain("probe_dot"), &[DOT_INVOCATIONS * 4], Some(params), (DOT_INVOCATIONS / 64) as u32)?;
    let operations = DOT_INVOCATIONS as f64 * f64::from(DOT_ROUNDS) * 512.0;
    Ok(Peak {
        gops: operations / dot.as_secs_f64() / 1e9,
        copy_gbytes: 2.0 * COPY_BYTES as f64 / copy.as_secs_f64() / 1e9,
        dot: "dot4I8Packed",
    })
}

/// The least time that a pipeline takes on buffers of these sizes: a peak is what the machine can do undisturbed.
fn probe(gpu: &Gpu, key: &Key, sizes: &[u64], params: Option<[u32; 2]>, groups: u32) -> Result<Duration, Error> {
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
    let run = || {
        let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(groups, 1, 1);
        }
        let start = Instant::now();
        gpu.queue().submit([encoder.finish()]);
        let wait = gpu.device().poll(wgpu::PollType::wait_indefinitely());
        wait.map(|_| start.elapsed()).map_err(|error| Error::Lost(error.to_string()))
    };
    run()?;
    (0..RUNS).map(|_| run()).try_fold(Duration::MAX, |best, duration| Ok(best.min(duration?)))
}
