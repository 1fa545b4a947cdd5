//! Requests that were checked and made ready for one model: nothing of them is read or cut into tokens again.

use provena_arith::hash::Hash;
use provena_wire::Units;

use crate::{generate::Prompt, models::Input};

/// A request that [`Model::prepare`](super::Model::prepare) made ready for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedRequest {
    /// Content root of the artifact that it was prepared for.
    pub(super) model: Hash,
    pub(super) units: Units,
    pub(super) ready: Ready,
}

/// What a model answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// Of a model that works by plans: what each execution takes.
    Inputs(Vec<Input>),
    /// A text to be continued.
    Prompt(Prompt),
}

impl PreparedRequest {
    /// The most units that the answer can have.
    pub fn units(&self) -> Units {
        self.units
    }

    /// What the model has to read: images, or tokens of sentences or of a prompt.
    pub fn size(&self) -> usize {
        match &self.ready {
            Ready::Inputs(inputs) => inputs.iter().map(|input| input.size).sum(),
            Ready::Prompt(prompt) => prompt.ids.len(),
        }
    }

    /// Bytes of memory that it takes: four for each token, of which a prompt or a sentence has no more than its model's context;
    /// of images the rows of the plan's input, which are multiples of sixteen.
    pub fn bytes(&self) -> usize {
        let held = match &self.ready {
            Ready::Inputs(inputs) => {
                inputs.iter().map(|input| size_of::<Input>() + input.values.bytes().len()).sum::<usize>()
            }
            Ready::Prompt(prompt) => {
                let stops = prompt.stop.iter().map(|stop| size_of::<String>() + stop.len());
                size_of_val(prompt.ids.as_slice()) + stops.sum::<usize>()
            }
        };
        size_of::<Self>() + held
    }
}
