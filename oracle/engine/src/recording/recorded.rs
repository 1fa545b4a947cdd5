//! One plan, ready to be replayed.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::GpuState;
use super::bind::{Bindings, Bound};
use super::place::{Places, place};
use crate::gpu::pool::Lease;
use crate::gpu::readback::{Readback, TIMEOUT};
use crate::gpu::{Error, Gpu, caps};
use crate::kernels::{Dispatch, Lowered, Operand};
use crate::plan::{BufferId, Plan};
use crate::values::Values;

/// Bytes between the parameters of two dispatches, which is the least alignment every device grants.
const PARAMS_ALIGN: u64 = 256;
/// States whose bind groups are kept; the one unused for longest makes room.
const MAX_STATES: usize = 4;

/// A plan with everything bound that does not change from one inference to the next.
#[derive(Debug)]
pub struct Recorded {
    gpu: Gpu,
    steps: Vec<Step>,
    /// The bindings of the steps that touch the state, in their order.
    stateful: Vec<Bindings>,
    /// The bind groups of those for the states seen last, the latest at the end.
    bound: Mutex<Vec<(Weak<()>, StateGroups)>>,
    /// Kept for as long as the bind groups refer to them.
    leases: Vec<Lease>,
    /// Place of each input among the leases, and its bytes.
    inputs: Vec<(usize, usize)>,
    /// Where each output lies, and its bytes.
    outputs: Vec<(Place, usize)>,
    /// Buffers of the plan's state.
    states: usize,
    readback: Readback,
}

/// The bind groups of the steps that touch the state, for one state.
type StateGroups = Arc<[wgpu::BindGroup]>;

#[derive(Debug)]
struct Step {
    label: String,
    pipeline: Arc<wgpu::ComputePipeline>,
    group: Group,
    grid: [u32; 3],
}

#[derive(Debug)]
enum Group {
    /// The same for every execution.
    Fixed(wgpu::BindGroup),
    /// One of [`StateGroups`].
    State(usize),
}

/// Where a buffer lies.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In a lease.
    Lease(usize),
    /// In the state.
    State(usize),
}

impl Recorded {
    /// Records `plan`, lowered; `tensors` are the parts of the artifact's tensors, in its order.
    pub(super) fn new(gpu: &Gpu, tensors: &[Vec<wgpu::Buffer>], plan: &Plan, lowered: &Lowered) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Plan { op: "the plan's buffers".into(), reason };
        for id in plan.inputs.iter().chain(&plan.outputs).chain(&plan.state) {
            if id.0 as usize >= plan.buffers.len() {
                return Err(wrong(format!("there is no buffer {}", id.0)));
            }
        }
        for buffer in &plan.buffers {
            let (label, bytes) = (buffer.name.clone(), buffer.byte_len() as u64);
            if bytes > caps::MAX_BINDING_BYTES {
                return Err(Error::BindingTooLarge { label, bytes, limit: caps::MAX_BINDING_BYTES });
            }
        }
        let places = place(plan, lowered);
        let leases = lease(gpu, &places)?;
        let params = upload_params(gpu, &lowered.dispatches)?;

        let of = |id: BufferId| {
            let place = plan.state.iter().position(|&state| state == id).map(Place::State);
            place.or_else(|| places.buffers[id.0 as usize].map(Place::Lease))
        };
        let bound = |operand: Operand| -> Option<Bound> {
            let whole = |buffer: &wgpu::Buffer, bytes| Bound::Fixed { buffer: buffer.clone(), offset: 0, bytes };
            Some(match operand {
                Operand::Tensor(id) => tensors.get(id.0 as usize)?.first().map(|b| whole(b, b.size()))?,
                Operand::Shard(id, shard) => tensors.get(id.0 as usize)?.get(shard).map(|b| whole(b, b.size()))?,
                Operand::Scratch(slot) => {
                    whole(leases[*places.scratch.get(slot)?].buffer(), *lowered.scratch.get(slot)?)
                }
                Operand::Buffer(id) => match of(id)? {
                    Place::State(place) => Bound::State(place),
                    Place::Lease(place) => whole(leases[place].buffer(), plan.get(id).byte_len() as u64),
                },
            })
        };
        let (mut steps, mut stateful) = (Vec::with_capacity(lowered.dispatches.len()), Vec::new());
        for (index, dispatch) in lowered.dispatches.iter().enumerate() {
            let label = dispatch.key.to_string();
            let pipeline = gpu.pipelines().get(&dispatch.key)?;
            let offset = index as u64 * PARAMS_ALIGN;
            let mut entries = vec![(0, Bound::Fixed { buffer: params.clone(), offset, bytes: PARAMS_ALIGN })];
            for &(binding, operand) in &dispatch.bindings {
                let missing = || wrong(format!("{label} binds {operand:?}, which is nowhere"));
                entries.push((binding, bound(operand).ok_or_else(missing)?));
            }
            let bindings = Bindings { label: label.clone(), pipeline: pipeline.clone(), entries };
            let group = if bindings.have_state() {
                stateful.push(bindings);
                Group::State(stateful.len() - 1)
            } else {
                Group::Fixed(bindings.group(gpu, None)?)
            };
            steps.push(Step { label, pipeline, group, grid: dispatch.grid });
        }
        gpu.healthy()?;

        let missing = |id: &BufferId| wrong(format!("{} is never bound", plan.get(*id).name));
        let inputs = plan.inputs.iter().map(|id| match of(*id) {
            Some(Place::Lease(place)) => Ok((place, plan.get(*id).byte_len())),
            _ => Err(missing(id)),
        });
        let inputs = inputs.collect::<Result<_, _>>()?;
        let outputs = plan.outputs.iter().map(|id| Ok((of(*id).ok_or_else(|| missing(id))?, plan.get(*id).byte_len())));
        let outputs = outputs.collect::<Result<Vec<_>, Error>>()?;
        let read: usize = outputs.iter().map(|(_, bytes)| bytes).sum();
        let readback = Readback::new(gpu, "provena.readback", read as u64)?;
        let (bound, states) = (Mutex::default(), plan.state.len());
        Ok(Self { gpu: gpu.clone(), steps, stateful, bound, leases, inputs, outputs, states, readback })
    }

    /// Runs the plan, which must be the one recorded, on `inputs` and `state` and returns its outputs in their order.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if `inputs` do not fill the plan's inputs or `state` is another plan's, [`Error::Lost`] if the
    /// device fails.
    pub fn run(&self, plan: &Plan, inputs: &[Values], state: &mut GpuState) -> Result<Vec<Values>, Error> {
        let groups = self.groups(state)?;
        self.upload(inputs)?;
        let mut encoder = self.encoder();
        self.encode(0..self.steps.len(), &groups, &mut encoder);
        let mut offset = 0;
        for &(place, bytes) in &self.outputs {
            let buffer = match place {
                Place::Lease(place) => self.leases[place].buffer(),
                Place::State(place) => &state.buffers()[place],
            };
            encoder.copy_buffer_to_buffer(buffer, 0, self.readback.buffer(), offset, bytes as u64);
            offset += bytes as u64;
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
    /// measurements of plans without state. What the buffers hold afterwards is no answer.
    ///
    /// # Errors
    ///
    /// As [`Recorded::time_with`].
    pub fn time(&self, steps: Range<usize>, repeats: usize) -> Result<Duration, Error> {
        self.time_with(&GpuState::new(&self.gpu, &[])?, steps, repeats)
    }

    /// The same for plans with state.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if `state` is another plan's, [`Error::Lost`] if the device fails.
    pub fn time_with(&self, state: &GpuState, steps: Range<usize>, repeats: usize) -> Result<Duration, Error> {
        let groups = self.groups(state)?;
        let start = Instant::now();
        let mut encoder = self.encoder();
        for _ in 0..repeats {
            self.encode(steps.clone(), &groups, &mut encoder);
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

    /// The bind groups of the steps that touch `state`, made when it is first seen.
    fn groups(&self, state: &GpuState) -> Result<StateGroups, Error> {
        if state.buffers().len() != self.states {
            let (expected, found) = (self.states, state.buffers().len());
            return Err(Error::Length { label: "the plan's state".into(), expected, found });
        }
        if self.stateful.is_empty() {
            return Ok(Arc::default());
        }
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        // Bind groups keep buffers alive: those of states that are gone must go.
        bound.retain(|(identity, _)| identity.strong_count() > 0);
        let identity = state.identity();
        let known = bound.iter().position(|(known, _)| known.ptr_eq(&identity));
        let groups = match known {
            Some(place) => bound.remove(place).1,
            None => {
                let group = |bindings: &Bindings| bindings.group(&self.gpu, Some(state));
                self.stateful.iter().map(group).collect::<Result<_, _>>()?
            }
        };
        if bound.len() >= MAX_STATES {
            bound.remove(0);
        }
        bound.push((identity, groups.clone()));
        Ok(groups)
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        self.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("provena.inference") })
    }

    /// Adds one pass over `steps`.
    fn encode(&self, steps: Range<usize>, groups: &StateGroups, encoder: &mut wgpu::CommandEncoder) {
        let descriptor = wgpu::ComputePassDescriptor { label: Some("provena.inference"), timestamp_writes: None };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        for step in self.steps.get(steps).unwrap_or_default() {
            pass.set_pipeline(&step.pipeline);
            let group = match &step.group {
                Group::Fixed(group) => group,
                Group::State(place) => &groups[*place],
            };
            pass.set_bind_group(0, group, &[]);
            let [x, y, z] = step.grid;
            pass.dispatch_workgroups(x, y, z);
        }
    }
}

/// The memory of a plan's buffers. What was lent goes back if something does not fit.
fn lease(gpu: &Gpu, places: &Places) -> Result<Vec<Lease>, Error> {
    places.memory.iter().map(|(bytes, label)| gpu.pool().lease(label, *bytes)).collect()
}

/// All dispatches' parameters in one buffer.
///
/// It is a storage buffer: with a uniform buffer, Mesa's software driver was measured several times slower on the first
/// shape it saw, as if it specialised the kernel on the buffer's content.
fn upload_params(gpu: &Gpu, dispatches: &[Dispatch]) -> Result<wgpu::Buffer, Error> {
    let mut words = vec![0u32; dispatches.len().max(1) * PARAMS_ALIGN as usize / 4];
    for (slot, dispatch) in words.chunks_exact_mut(PARAMS_ALIGN as usize / 4).zip(dispatches) {
        slot[..dispatch.params.len()].copy_from_slice(&dispatch.params);
    }
    let buffer = gpu.create(&wgpu::BufferDescriptor {
        label: Some("provena.params"),
        size: words.len() as u64 * 4,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })?;
    gpu.queue().write_buffer(&buffer, 0, bytemuck::cast_slice(&words));
    Ok(buffer)
}
