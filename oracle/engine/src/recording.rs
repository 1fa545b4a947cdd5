//! Models on a device: weights uploaded once, plans recorded once, one submission per inference.
//!
//! A [`GpuModel`] holds an artifact's tensors on the device and the plans recorded for it so far. Recording a plan
//! settles everything that does not depend on the input: pipelines, buffers, parameters, bind groups. What is left
//! for an inference is one upload, one submission and one readback.

mod bind;
mod place;
mod recorded;
mod state;
mod tune;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub use recorded::Recorded;
pub use state::GpuState;

use crate::artifact::{Artifact, TensorRef};
use crate::gpu::{Error, Gpu};
use crate::kernels::{self, Choices, Tuning};
use crate::plan::{Buffer, Plan, SealedPlan};
use crate::values::Values;

/// Plans kept recorded per model; the one unused for longest makes room.
pub const MAX_RECORDED: usize = 32;

/// An artifact on a device.
#[derive(Debug)]
pub struct GpuModel {
    gpu: Gpu,
    artifact: Arc<Artifact>,
    tuning: Tuning,
    /// The parts of each tensor, see [`kernels::shards`].
    tensors: Vec<Vec<wgpu::Buffer>>,
    /// The caller's choices; `None` where the quickest are looked for.
    choices: Option<Choices>,
    recorded: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    plans: HashMap<SealedPlan, Entry>,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    recorded: Arc<Mutex<Recorded>>,
    used: u64,
}

impl GpuModel {
    /// Uploads the artifact's tensors.
    ///
    /// # Errors
    ///
    /// [`Error::BindingTooLarge`] if few rows of a tensor exceed one storage binding, [`Error::OutOfMemory`] if it does
    /// not fit: what it had taken until then is free again.
    pub fn load(gpu: &Gpu, artifact: Arc<Artifact>) -> Result<Self, Error> {
        Ok(Self { choices: None, ..Self::load_tuned(gpu, artifact, Tuning::of(gpu.caps()))? })
    }

    /// The same with a tuning of the caller's choice, for tests and measurements.
    ///
    /// # Errors
    ///
    /// As [`GpuModel::load`].
    pub fn load_tuned(gpu: &Gpu, artifact: Arc<Artifact>, tuning: Tuning) -> Result<Self, Error> {
        let parts = artifact.tensors().map(|(_, tensor)| upload(gpu, &tensor, tuning.max_binding));
        let tensors = match parts.collect::<Result<Vec<_>, _>>() {
            Ok(tensors) => tensors,
            Err(error) => {
                gpu.settle()?;
                return Err(error);
            }
        };
        Ok(Self {
            gpu: gpu.clone(),
            artifact,
            tuning,
            tensors,
            choices: Some(Choices::default()),
            recorded: Mutex::default(),
        })
    }

    /// The same with these choices, for tests and measurements.
    #[must_use]
    pub fn with_choices(self, choices: Choices) -> Self {
        Self { choices: Some(choices), ..self }
    }

    /// The device.
    #[must_use]
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The artifact.
    #[must_use]
    pub fn artifact(&self) -> &Arc<Artifact> {
        &self.artifact
    }

    /// State for plans whose state buffers are these, all zeros.
    ///
    /// # Errors
    ///
    /// [`Error::BindingTooLarge`] if a buffer exceeds one storage binding, [`Error::OutOfMemory`] if it does not fit.
    pub fn state(&self, buffers: &[Buffer]) -> Result<GpuState, Error> {
        GpuState::new(&self.gpu, buffers)
    }

    /// Writes `values` over the contents of a state, one for each of its buffers.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if they do not fill the state's buffers.
    pub fn write_state(&self, state: &mut GpuState, values: &[Values]) -> Result<(), Error> {
        state.write(&self.gpu, values)
    }

    /// Runs `plan` on `inputs` and returns the plan's outputs in their order, padding included.
    ///
    /// Calls from several threads are safe; those of the same plan take turns.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if the input does not fill the plan's input buffer, [`Error::Plan`] and the pipelines' errors
    /// on a plan's first use, [`Error::Lost`] if the device fails.
    pub fn execute(&self, plan: &Plan, inputs: &[Values], state: &mut GpuState) -> Result<Vec<Values>, Error> {
        self.run(&plan.clone().into(), inputs, state)
    }

    /// The same for a plan that is executed more than once: its recording is found without a look at the whole plan.
    ///
    /// # Errors
    ///
    /// As [`GpuModel::execute`].
    pub fn run(&self, plan: &SealedPlan, inputs: &[Values], state: &mut GpuState) -> Result<Vec<Values>, Error> {
        let recorded = self.of(plan)?;
        let recorded = recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.run(plan, inputs, state)
    }

    /// Records `plan` ahead of its first use, so that the first inference is as quick as the later ones.
    ///
    /// # Errors
    ///
    /// As [`GpuModel::execute`].
    pub fn prepare(&self, plan: &Plan) -> Result<(), Error> {
        self.recorded(plan).map(|_| ())
    }

    /// The recording of `plan`, made on its first use.
    ///
    /// # Errors
    ///
    /// As [`GpuModel::execute`].
    pub fn recorded(&self, plan: &Plan) -> Result<Arc<Mutex<Recorded>>, Error> {
        self.of(&plan.clone().into())
    }

    fn of(&self, plan: &SealedPlan) -> Result<Arc<Mutex<Recorded>>, Error> {
        // The cache is locked while a plan is recorded, so that two threads do not record the same one.
        let mut cache = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        cache.clock += 1;
        let now = cache.clock;
        if let Some(entry) = cache.plans.get_mut(plan) {
            entry.used = now;
            return Ok(entry.recorded.clone());
        }
        let choices = self.choose(plan)?;
        let lowered = kernels::lower_with(plan, &self.artifact, self.tuning, &choices)?;
        let recorded = Recorded::new(&self.gpu, &self.tensors, plan, &lowered)?;
        self.gpu.pipelines().save();
        let recorded = Arc::new(Mutex::new(recorded));
        if cache.plans.len() >= MAX_RECORDED {
            let oldest = cache.plans.iter().min_by_key(|(_, entry)| entry.used).map(|(plan, _)| plan.clone());
            oldest.and_then(|plan| cache.plans.remove(&plan));
        }
        cache.plans.insert(plan.clone(), Entry { recorded: recorded.clone(), used: now });
        Ok(recorded)
    }
}

/// Puts a tensor on the device, in as many parts as it takes.
fn upload(gpu: &Gpu, tensor: &TensorRef<'_>, max_binding: u64) -> Result<Vec<wgpu::Buffer>, Error> {
    let too_large = || Error::BindingTooLarge {
        label: tensor.name.to_owned(),
        bytes: tensor.bytes.len() as u64,
        limit: max_binding,
    };
    let shards = kernels::shards(tensor, max_binding).ok_or_else(too_large)?;
    let row = tensor.bytes.len() / tensor.rows.max(1);
    let mut parts = Vec::with_capacity(shards.len());
    for shard in shards {
        let bytes = &tensor.bytes[shard.start * row..shard.end * row];
        let buffer = gpu.create(&wgpu::BufferDescriptor {
            label: Some(tensor.name),
            // A tensor's length need not be a multiple of the device's word.
            size: (bytes.len() as u64).next_multiple_of(4).max(4),
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: true,
        })?;
        buffer
            .get_mapped_range_mut(..)
            .map_err(|error| Error::Lost(error.to_string()))?
            .slice(..bytes.len())
            .copy_from_slice(bytes);
        buffer.unmap();
        parts.push(buffer);
    }
    Ok(parts)
}
