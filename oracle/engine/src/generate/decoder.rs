//! Executes the scheduler's batches as plans, one execution per step.

use std::{collections::HashMap, sync::Arc};

use provena_arith::sampling::Params;

use super::{kv_cache::PAGE, scheduler::Batch};
use crate::{
    artifact::Artifact,
    backend::{Backend, State},
    error::Error,
    models::llama::{Llama, Shape},
    plan::{Buffer, SealedPlan},
    reference,
    values::Values,
};

/// Rows up to here are rounded up to a power of two, more to a multiple.
const ROW_STEP: usize = 32;
/// The columns of a page table are 8, 32, 128, ... so that few plans are recorded while texts grow.
const LEAST_PAGES: usize = 8;

/// Whatever computes the next tokens of a batch, in the order of its picks.
pub trait Compute: Send {
    /// Computes one step.
    ///
    /// # Errors
    /// Those of the device.
    fn step(&mut self, batch: &Batch) -> Result<Vec<u32>, Error>;

    /// Drops what was computed so far, after an error.
    fn reset(&mut self);
}

/// Where a decoder's plans are executed: a backend, or the reference.
pub trait Place: Send {
    /// What outlives an execution.
    type State: Send;

    /// State for these buffers, all zeros.
    ///
    /// # Errors
    /// [`Error::Gpu`] when it does not fit the device.
    fn state(&self, buffers: &[Buffer]) -> Result<Self::State, Error>;

    /// The outputs of a plan.
    ///
    /// # Errors
    /// [`Error::Gpu`] when the device fails.
    fn execute(&self, plan: &SealedPlan, inputs: &[Values], state: &mut Self::State) -> Result<Vec<Values>, Error>;
}

impl Place for Arc<Backend> {
    type State = State;

    fn state(&self, buffers: &[Buffer]) -> Result<State, Error> {
        Backend::state(self, buffers)
    }

    fn execute(&self, plan: &SealedPlan, inputs: &[Values], state: &mut State) -> Result<Vec<Values>, Error> {
        Backend::execute(self, plan, inputs, state)
    }
}

/// The reference, with an artifact.
impl Place for &Artifact {
    type State = Vec<Values>;

    fn state(&self, buffers: &[Buffer]) -> Result<Vec<Values>, Error> {
        Ok(buffers.iter().map(Values::zeros).collect())
    }

    fn execute(&self, plan: &SealedPlan, inputs: &[Values], state: &mut Vec<Values>) -> Result<Vec<Values>, Error> {
        Ok(reference::outputs(self, plan, inputs, state))
    }
}

/// A decoder somewhere, with its keys and values.
pub struct Decoder<P: Place> {
    place: P,
    llama: Arc<Llama>,
    slots: usize,
    /// Pages of the longest text.
    longest: usize,
    state: Option<P::State>,
    plans: HashMap<Shape, SealedPlan>,
}

impl<P: Place> Decoder<P> {
    /// Makes room for the keys and values of `pages` pages, page 0 included.
    ///
    /// # Errors
    /// [`Error::Gpu`] when they do not fit the device.
    pub fn new(place: P, llama: Arc<Llama>, pages: usize, longest: usize) -> Result<Self, Error> {
        let slots = pages * PAGE;
        let state = Some(place.state(&llama.state(slots))?);
        Ok(Self { place, llama, slots, longest, state, plans: HashMap::new() })
    }

    /// The shape of the plan for a batch: rounded up, so that few plans serve all batches.
    fn shape(&self, batch: &Batch) -> Shape {
        let sequences = batch.pages.len().next_power_of_two();
        let held = batch.pages.iter().map(Vec::len).max().unwrap_or(0);
        let mut pages = LEAST_PAGES;
        while pages < held {
            pages *= 4;
        }
        let pages = pages.min(self.longest.max(held));
        let rows = batch.rows.len();
        let rows = if rows <= ROW_STEP { rows.next_power_of_two() } else { rows.next_multiple_of(ROW_STEP) };
        Shape { rows, sequences, pages, picks: sequences, slots: self.slots, logits: false }
    }
}

impl<P: Place> Compute for Decoder<P> {
    fn step(&mut self, batch: &Batch) -> Result<Vec<u32>, Error> {
        let shape = self.shape(batch);
        let llama = &self.llama;
        let plan = self.plans.entry(shape).or_insert_with(|| llama.plan(shape).into());
        let mut state = match self.state.take() {
            Some(state) => state,
            None => self.place.state(&llama.state(self.slots))?,
        };
        let outputs = self.place.execute(plan, &inputs(batch, shape), &mut state)?;
        // After an error the state may hold anything, so it is made anew then.
        self.state = Some(state);
        Ok(outputs[0].as_u32()[..batch.picks.len()].to_vec())
    }

    fn reset(&mut self) {
        self.state = None;
    }
}

/// The inputs of the plan for a batch, filled up to the plan's shape: with token 0 at position 0 in page 0, and with
/// picks of row 0 whose tokens nobody reads.
fn inputs(batch: &Batch, shape: Shape) -> [Values; 4] {
    let mut rows = batch.rows.concat();
    rows.resize(shape.rows * 4, 0);
    let mut pages = Vec::with_capacity(shape.sequences * shape.pages);
    for held in &batch.pages {
        pages.extend_from_slice(held);
        pages.resize(pages.len().next_multiple_of(shape.pages), 0);
    }
    pages.resize(shape.sequences * shape.pages, 0);
    let mut picks = batch.picks.clone();
    picks.resize(shape.picks, 0);
    let mut params = batch.params.clone();
    params.resize(shape.picks, Params::GREEDY);
    let params = params.into_iter().flat_map(Params::words).collect();
    [Values::U32(rows), Values::U32(pages), Values::U32(picks), Values::U32(params)]
}
