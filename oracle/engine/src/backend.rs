//! Where plans are executed: on the CPU or on a GPU. Both give the reference's bytes.

use std::sync::Arc;

use crate::{
    artifact::Artifact,
    cpu::{CpuModel, Level},
    error::Error,
    gpu::Gpu,
    plan::{Buffer, SealedPlan},
    recording::{GpuModel, GpuState},
    values::Values,
};

/// An artifact where it is computed with.
pub enum Backend {
    /// On the processor.
    Cpu(Box<CpuModel>),
    /// On a graphics adapter.
    Gpu(Box<GpuModel>),
}

/// What outlives an execution: the contents of a plan's state, all zeros at first.
pub enum State {
    /// In the host's memory.
    Host(Vec<Values>),
    /// In the device's memory.
    Device(GpuState),
}

impl Backend {
    /// Puts an artifact on a device, or keeps it on the processor with its widest instructions.
    ///
    /// # Errors
    /// [`Error::Gpu`] when it does not fit the device, those of [`Backend::cpu`].
    pub fn new(artifact: Arc<Artifact>, gpu: Option<&Gpu>) -> Result<Self, Error> {
        Ok(match gpu {
            Some(gpu) => Self::Gpu(Box::new(GpuModel::load(gpu, artifact)?)),
            None => Self::cpu(artifact, Level::best())?,
        })
    }

    /// Keeps an artifact on the processor, with instructions of the caller's choice and as many threads as rayon has.
    ///
    /// # Errors
    /// [`Error::Cpu`] when no threads can be started.
    pub fn cpu(artifact: Arc<Artifact>, level: Level) -> Result<Self, Error> {
        Ok(Self::Cpu(Box::new(CpuModel::with(artifact, level, rayon::current_num_threads())?)))
    }

    /// State for plans whose state buffers are these.
    ///
    /// # Errors
    /// [`Error::Gpu`] when it does not fit the device.
    pub fn state(&self, buffers: &[Buffer]) -> Result<State, Error> {
        Ok(match self {
            Self::Cpu(_) => State::Host(buffers.iter().map(Values::zeros).collect()),
            Self::Gpu(model) => State::Device(model.state(buffers)?),
        })
    }

    /// Executes a plan and gives its outputs in their order.
    ///
    /// # Errors
    /// [`Error::Gpu`] when the device fails.
    ///
    /// # Panics
    /// When the inputs do not fit the plan, or the state is not one that [`Backend::state`] gave for its buffers.
    pub fn execute(&self, plan: &SealedPlan, inputs: &[Values], state: &mut State) -> Result<Vec<Values>, Error> {
        Ok(match (self, state) {
            (Self::Cpu(model), State::Host(state)) => model.run(plan, inputs, state)?,
            (Self::Gpu(model), State::Device(state)) => model.run(plan, inputs, state)?,
            _ => panic!("the state belongs to another backend"),
        })
    }
}
