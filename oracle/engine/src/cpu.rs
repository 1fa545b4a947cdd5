//! The fast CPU backend: the reference's bytes, by wide instructions and threads.
//!
//! Every operation has a function here that gives what its scalar twin in [`crate::reference`] gives, for any data:
//! all reductions are sums and maxima of integers, which no tiling and no number of threads can change. Which
//! instructions are used is found out once ([`Level`]); [`level::VARIABLE`] turns the wider ones off.

mod arena;
mod attention;
mod bytes;
mod cached_attention;
mod context;
mod gate;
mod images;
mod isa;
mod lanes;
mod level;
mod linear;
mod norm;
mod pages;
mod rotate_store;
mod rows;
mod running;
mod sample;
pub mod self_test;
mod shared;
mod softmax;
mod team;
mod tensors;

use std::sync::{Arc, Mutex, PoisonError};

pub use level::{Level, VARIABLE};

use crate::{
    artifact::Artifact,
    error::Error,
    plan::{Plan, SealedPlan},
    values::Values,
};
use arena::Arena;
use context::Context;
use running::Running;
use tensors::Tensors;

/// An artifact on the processor, with the threads and the memory to compute with it.
///
/// Calls from several threads are safe; they take turns, since one already uses all threads.
pub struct CpuModel {
    level: Level,
    tensors: Tensors,
    working: Mutex<Working>,
}

/// What one execution at a time uses.
struct Working {
    context: Context,
    arena: Arena,
    /// Values that are not yet bytes.
    words: Vec<i32>,
}

impl CpuModel {
    /// Prepares an artifact for this processor's best instructions and as many threads as rayon has.
    ///
    /// # Errors
    /// [`Error::Cpu`] when no threads can be started.
    pub fn new(artifact: Arc<Artifact>) -> Result<Self, Error> {
        Self::with(artifact, Level::best(), rayon::current_num_threads())
    }

    /// The same with instructions and a number of threads of the caller's choice.
    ///
    /// # Errors
    /// [`Error::Cpu`] when no threads can be started.
    pub fn with(artifact: Arc<Artifact>, level: Level, threads: usize) -> Result<Self, Error> {
        pages::prefer_large(artifact.bytes());
        let context = Context::new(level, threads).map_err(|e| Error::Cpu(format!("cannot start threads: {e}")))?;
        let working = Mutex::new(Working { context, arena: Arena::default(), words: Vec::new() });
        Ok(Self { level, tensors: Tensors::new(artifact, level), working })
    }

    /// The instructions that it uses.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The artifact.
    pub fn artifact(&self) -> &Arc<Artifact> {
        self.tensors.artifact()
    }

    /// The outputs of a plan in their order; `state` is what the plan's state holds before and then after.
    ///
    /// # Errors
    /// None so far; other backends fail where this one can only run out of memory.
    ///
    /// # Panics
    /// When the plan is not one that this crate built for this artifact, or the inputs or the state do not fit the
    /// plan's buffers.
    pub fn execute(&self, plan: &Plan, inputs: &[Values], state: &mut [Values]) -> Result<Vec<Values>, Error> {
        self.run(&plan.clone().into(), inputs, state)
    }

    /// The same for a plan that is executed more than once.
    ///
    /// # Errors
    /// As [`CpuModel::execute`].
    ///
    /// # Panics
    /// As [`CpuModel::execute`].
    pub fn run(&self, plan: &SealedPlan, inputs: &[Values], state: &mut [Values]) -> Result<Vec<Values>, Error> {
        let mut working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        let Working { context, arena, words } = &mut *working;
        let mut running = Running::new(&self.tensors, plan, inputs, state, arena);
        for (op, free) in plan.ops.iter().zip(plan.last_uses()) {
            running.step(op, context, words);
            running.free(free);
        }
        Ok(running.outputs())
    }
}

impl std::fmt::Debug for CpuModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CpuModel").field("level", &self.level).field("artifact", self.artifact()).finish()
    }
}
