//! One plan, ready to be replayed.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::artifact::Artifact;
use crate::gpu::pool::Lease;
use crate::gpu::readback::{Readback, TIMEOUT};
use crate::gpu::{Error, Gpu, caps};
use crate::kernels::{self, Dispatch, Operand, Tuning};
use crate::plan::Plan;
use crate::recording::GpuState;
use crate::values::Values;

/// Bytes between the parameters of two dispatches, which is the least alignment every device grants.
const PARAMS_ALIGN: u64 = 256;

/// A plan with everything bound that does not change from one inference to the next.
#[derive(Debug)]
pub struct Recorded {
    gpu: Gpu,
    steps: Vec<Step>,
    /// Kept for as long as the bind groups refer to them.
    leases: Vec<Lease>,
    /// Place of each input among the leases, and its bytes.
    inputs: Vec<(usize, usize)>,
    /// Place of each output among the leases, and its bytes.
    outputs: Vec<(usize, usize)>,
    readback: Readback,
}

#[derive(Debug)]
struct Step {
    label: String,
    pipeline: Arc<wgpu::ComputePipeline>,
    bind_group: wgpu::BindGroup,
    grid: [u32; 3],
}

impl Recorded {
    /// Records `plan`; `tensors` are `artifact`'s, in its order.
    pub(super) fn new(
        gpu: &Gpu,
        artifact: &Artifact,
        tuning: Tuning,
        tensors: &[wgpu::Buffer],
        plan: &Plan,
    ) -> Result<Self, Error> {
        let lowered = kernels::lower(plan, artifact, tuning)?;
        let mut sizes = Vec::with_capacity(plan.buffers.len() + lowered.scratch.len());
        for buffer in &plan.buffers {
            sizes.push((buffer.name.as_str(), buffer.byte_len() as u64));
        }
        sizes.extend(lowered.scratch.iter().map(|&bytes| ("scratch", bytes)));
        for &(label, bytes) in &sizes {
            if bytes > caps::MAX_BINDING_BYTES {
                let limit = caps::MAX_BINDING_BYTES;
                return Err(Error::BindingTooLarge { label: label.to_owned(), bytes, limit });
            }
        }
        let leases: Vec<Lease> = sizes.iter().map(|&(_, bytes)| gpu.pool().lease(bytes)).collect();
        let place = |id: crate::plan::BufferId| -> Result<(usize, usize), Error> {
            let place = id.0 as usize;
            let buffer = plan.buffers.get(place).ok_or_else(|| Error::Plan {
                op: "the plan's input or output".into(),
                reason: format!("there is no buffer {place}"),
            })?;
            Ok((place, buffer.byte_len()))
        };
        let inputs = plan.inputs.iter().map(|&id| place(id)).collect::<Result<Vec<_>, _>>()?;
        let outputs = plan.outputs.iter().map(|&id| place(id)).collect::<Result<Vec<_>, _>>()?;
        let read: usize = outputs.iter().map(|(_, bytes)| bytes).sum();

        let params = upload_params(gpu, &lowered.dispatches);
        let bindable = |operand: Operand| match operand {
            Operand::Tensor(id) => tensors[id.0 as usize].as_entire_buffer_binding(),
            Operand::Buffer(id) => bound(&leases[id.0 as usize], sizes[id.0 as usize].1),
            Operand::Scratch(slot) => {
                let place = plan.buffers.len() + slot;
                bound(&leases[place], sizes[place].1)
            }
        };
        let mut steps = Vec::with_capacity(lowered.dispatches.len());
        for (index, dispatch) in lowered.dispatches.iter().enumerate() {
            steps.push(step(gpu, dispatch, &params, index as u64 * PARAMS_ALIGN, &bindable)?);
        }
        gpu.healthy()?;
        let readback = Readback::new(gpu, "provena.readback", read as u64);
        Ok(Self { gpu: gpu.clone(), steps, leases, inputs, outputs, readback })
    }

    /// Runs the plan, which must be the one recorded, on `inputs` and returns its outputs in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if `inputs` do not fill the plan's inputs, [`Error::Lost`] if the device fails.
    pub fn run(&self, plan: &Plan, inputs: &[Values], state: &mut GpuState) -> Result<Vec<Values>, Error> {
        self.upload(inputs)?;
        if state.buffers().len() != plan.state.len() {
            return Err(Error::Length {
                label: "the plan's state".into(),
                expected: plan.state.len(),
                found: state.buffers().len(),
            });
        }
        let mut encoder = self.encoder();
        encode(&self.steps, &mut encoder);
        let mut offset = 0;
        for &(place, bytes) in &self.outputs {
            let bytes = bytes as u64;
            encoder.copy_buffer_to_buffer(self.leases[place].buffer(), 0, self.readback.buffer(), offset, bytes);
            offset += bytes;
        }
        let submission = self.gpu.queue().submit([encoder.finish()]);
        let outputs = self.readback.read(&self.gpu, submission, |all| {
            let mut rest = all;
            let mut outputs = Vec::with_capacity(self.outputs.len());
            for (&(_, bytes), &id) in self.outputs.iter().zip(&plan.outputs) {
                let (output, after) = rest.split_at(bytes);
                outputs.extend(Values::from_bytes(plan.get(id), output));
                rest = after;
            }
            outputs
        })?;
        self.gpu.healthy()?;
        Ok(outputs)
    }

    /// The labels of the kernels, in the order of execution.
    #[must_use]
    pub fn labels(&self) -> Vec<&str> {
        self.steps.iter().map(|step| step.label.as_str()).collect()
    }

    /// The time that `repeats` runs of the kernels in `steps` take in one submission, without upload and readback, for
    /// measurements. What the buffers hold afterwards is no answer.
    ///
    /// # Errors
    ///
    /// [`Error::Lost`] if the device fails.
    pub fn time(&self, steps: Range<usize>, repeats: usize) -> Result<Duration, Error> {
        let start = Instant::now();
        let mut encoder = self.encoder();
        for _ in 0..repeats {
            encode(self.steps.get(steps.clone()).unwrap_or_default(), &mut encoder);
        }
        let submission = self.gpu.queue().submit([encoder.finish()]);
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) };
        self.gpu.device().poll(wait).map_err(|error| Error::Lost(error.to_string()))?;
        let elapsed = start.elapsed();
        self.gpu.healthy()?;
        Ok(elapsed)
    }

    fn upload(&self, inputs: &[Values]) -> Result<(), Error> {
        let length = |expected, found| Err(Error::Length { label: "the plan's input".into(), expected, found });
        if inputs.len() != self.inputs.len() {
            return length(self.inputs.len(), inputs.len());
        }
        for (&(_, expected), input) in self.inputs.iter().zip(inputs) {
            if input.bytes().len() != expected {
                return length(expected, input.bytes().len());
            }
        }
        for (&(place, _), input) in self.inputs.iter().zip(inputs) {
            self.gpu.queue().write_buffer(self.leases[place].buffer(), 0, input.bytes());
        }
        Ok(())
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        self.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("provena.inference") })
    }
}

/// Adds one pass over `steps`.
fn encode(steps: &[Step], encoder: &mut wgpu::CommandEncoder) {
    let descriptor = wgpu::ComputePassDescriptor { label: Some("provena.inference"), timestamp_writes: None };
    let mut pass = encoder.begin_compute_pass(&descriptor);
    for step in steps {
        pass.set_pipeline(&step.pipeline);
        pass.set_bind_group(0, &step.bind_group, &[]);
        let [x, y, z] = step.grid;
        pass.dispatch_workgroups(x, y, z);
    }
}

/// The first `bytes` bytes of a lease, which may be longer.
fn bound(lease: &Lease, bytes: u64) -> wgpu::BufferBinding<'_> {
    wgpu::BufferBinding { buffer: lease.buffer(), offset: 0, size: wgpu::BufferSize::new(bytes) }
}

/// All dispatches' parameters in one buffer.
///
/// It is a storage buffer: with a uniform buffer, Mesa's software driver was measured several times slower on the first
/// shape it saw, as if it specialised the kernel on the buffer's content.
fn upload_params(gpu: &Gpu, dispatches: &[Dispatch]) -> wgpu::Buffer {
    let mut words = vec![0u32; dispatches.len().max(1) * PARAMS_ALIGN as usize / 4];
    for (slot, dispatch) in words.chunks_exact_mut(PARAMS_ALIGN as usize / 4).zip(dispatches) {
        slot[..dispatch.params.len()].copy_from_slice(&dispatch.params);
    }
    let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: Some("provena.params"),
        size: words.len() as u64 * 4,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue().write_buffer(&buffer, 0, bytemuck::cast_slice(&words));
    buffer
}

fn step<'a>(
    gpu: &Gpu,
    dispatch: &Dispatch,
    params: &'a wgpu::Buffer,
    offset: u64,
    bindable: &impl Fn(Operand) -> wgpu::BufferBinding<'a>,
) -> Result<Step, Error> {
    let label = dispatch.key.to_string();
    let pipeline = gpu.pipelines().get(&dispatch.key)?;
    let params = wgpu::BufferBinding { buffer: params, offset, size: wgpu::BufferSize::new(PARAMS_ALIGN) };
    let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(params) }];
    for &(binding, operand) in &dispatch.bindings {
        let resource = wgpu::BindingResource::Buffer(bindable(operand));
        entries.push(wgpu::BindGroupEntry { binding, resource });
    }
    let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
    let bind_group = gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(&label),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    });
    match pollster::block_on(scope.pop()) {
        Some(error) => Err(Error::Rejected { label, reason: error.to_string() }),
        None => Ok(Step { label, pipeline, bind_group, grid: dispatch.grid }),
    }
}
